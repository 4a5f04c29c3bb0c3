package partway

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.firstOrNull
import kotlinx.coroutines.flow.flow

/**
 * The last snapshot of each upload, and who watches. Rows follow what the client tells: changes, then that an upload is forgotten, and nothing of it after that. A
 * call that knows an upload to be gone takes its row down at once; what is still told of it then makes no row, and reaches who watches.
 *
 * What is read of the client may be older than a "forgotten" that is told meanwhile: what was forgotten since a read began makes no row. [known] reads one that is
 * no row yet; it is called under the lock.
 *
 * Nobody who watches is woken with a lock held: such a one may run at once, where it was woken, and may wait for whoever comes here on another thread.
 */
internal class Rows(private val known: (String) -> Snapshot? = { null }) {
    /** The rows as they were after so many changes, so that whoever is late to publish does not step back. */
    private class Shown(val number: Long, private val rows: Map<String, Snapshot>) : Map<String, Snapshot> by rows {
        // Not by the content: rows that come back to what they were would keep their old number, and who is late would step back behind it.
        override fun equals(other: Any?): Boolean = if (other is Shown) number == other.number else rows == other

        override fun hashCode(): Int = rows.hashCode()

        override fun toString(): String = rows.toString()
    }

    /** What one watcher was not given yet: of one upload (the latest), or all endings. */
    private class Inbox(val id: String?) {
        val news = ArrayList<Snapshot>()
        var over = false
        val signal = Channel<Unit>(Channel.CONFLATED)
    }

    private val lock = Any()

    /** Not changed any more once it is published. */
    private var rows = LinkedHashMap<String, Snapshot>()
    private var isDraft = false
    private var changes = 0L
    private val shown = MutableStateFlow<Map<String, Snapshot>>(Shown(0, rows))

    /** Reads of the client that are under way, and what was told to be forgotten since the first of them began. */
    private var reads = 0
    private val forgottenMeanwhile = HashSet<String>()

    /** Taken down by a call before it was told that they are forgotten: what was seen of them last. */
    private val leaving = HashMap<String, Snapshot>()
    private val watchers = HashMap<String, HashSet<Inbox>>()
    private val collectors = HashSet<Inbox>()
    private val woken = LinkedHashSet<Inbox>()
    private var over = false

    val uploads: StateFlow<Map<String, Snapshot>> = shown.asStateFlow()

    /** Shows what is told, where it is newer. */
    fun show(told: List<Snapshot>) = changed {
        if (!over) told.forEach(::accept)
    }

    /** The same for what [read] reads of the client. */
    fun read(read: () -> List<Snapshot>) {
        synchronized(lock) {
            if (over) return
            reads++
        }
        try {
            val found = read()
            changed { if (!over) found.filter { it.id !in forgottenMeanwhile }.forEach(::accept) }
        } finally {
            synchronized(lock) { if (--reads == 0) forgottenMeanwhile.clear() }
        }
    }

    /** These are gone, and that will be told. */
    fun drop(ids: Collection<String>) = changed {
        if (!over) ids.forEach { id -> if (id in rows) draft().remove(id)?.let { leaving[id] = it } }
    }

    /** It was told that these are gone. */
    fun forgotten(ids: Collection<String>) = changed {
        if (reads > 0) forgottenMeanwhile += ids
        for (id in ids) {
            if (id in rows) draft().remove(id)
            leaving.remove(id)
            watchers.remove(id)?.forEach(::end)
        }
    }

    /** Nothing changes after [last], which is all there is. */
    fun finish(last: List<Snapshot>) = changed {
        if (over) return@changed
        last.forEach(::accept)
        draft().keys.retainAll(last.mapTo(HashSet(), Snapshot::id))
        over = true
        (watchers.values.flatten() + collectors).forEach(::end)
        watchers.clear()
        collectors.clear()
        leaving.clear()
    }

    /** One upload: as it is, then each time the latest. Completes after its ending, when it is forgotten, when nothing changes any more; at once, if there is none. */
    fun snapshots(id: String): Flow<Snapshot> = received(id) { inbox ->
        val there = rows[id] ?: leaving[id]?.takeIf { !it.state.ended } ?: known(id)?.takeIf { !over }?.also(::accept)
        there?.let(inbox.news::add)
        if (there == null || there.state.ended || over) inbox.over = true else watchers.getOrPut(id, ::HashSet).add(inbox)
    }

    /** Each ending, once: those that are rows now, then what ends. */
    fun endings(): Flow<Snapshot> = received(null) { inbox ->
        inbox.news += rows.values.filter { it.state.ended }.sortedBy { it.changedUnixMs }
        if (over) inbox.over = true else collectors.add(inbox)
    }

    /** The ending of one. */
    suspend fun awaitEnd(id: String): Snapshot =
        snapshots(id).firstOrNull { it.state.ended } ?: throw if (synchronized(lock) { over }) closedError() else unknownUpload()

    /** Those that fit, oldest first. */
    fun list(which: Select): List<Snapshot> = uploads.value.values.filter(which::fits).sortedBy { it.id }

    /** Those of [read] that no call has taken down. */
    fun present(read: List<Snapshot>): List<Snapshot> = synchronized(lock) { if (leaving.isEmpty()) read else read.filter { it.id !in leaving } }

    /** How many watch. */
    val watching: Int
        get() = synchronized(lock) { watchers.values.sumOf { it.size } + collectors.size }

    /** How many are taken down and not told to be forgotten. */
    val departing: Int
        get() = synchronized(lock) { leaving.size }

    private fun accept(next: Snapshot) {
        val before = rows[next.id] ?: leaving[next.id]
        if (before != null && before.revision >= next.revision) return
        if (next.id in leaving) leaving[next.id] = next else draft()[next.id] = next
        watchers[next.id]?.forEach {
            it.news.clear()
            it.news += next
            woken += it
        }
        if (!next.state.ended) return
        watchers.remove(next.id)?.forEach(::end)
        // What a cancel could undo may still be told after the ending itself.
        if (before?.state?.ended == true) return
        collectors.forEach { it.news += next }
        woken += collectors
    }

    private fun end(inbox: Inbox) {
        inbox.over = true
        woken += inbox
    }

    private fun draft(): LinkedHashMap<String, Snapshot> {
        if (!isDraft) rows = LinkedHashMap(rows)
        isDraft = true
        return rows
    }

    /** Makes a change, and wakes whom it concerns once the lock is free again. */
    private fun <T> changed(change: () -> T): T {
        val (result, next, inboxes) = synchronized(lock) {
            val result = try {
                change()
            } finally {
                if (isDraft) changes++
                isDraft = false
            }
            Triple(result, Shown(changes, rows), woken.toList().also { woken.clear() })
        }
        publish(next)
        inboxes.forEach { it.signal.trySend(Unit) }
        return result
    }

    /** It, or what came after it, is there when this returns. */
    private fun publish(next: Shown) {
        while (true) {
            val now = shown.value as Shown
            if (now.number >= next.number || shown.compareAndSet(now, next)) return
        }
    }

    private fun received(id: String?, enter: (Inbox) -> Unit): Flow<Snapshot> = flow {
        val inbox = Inbox(id)
        changed { enter(inbox) }
        try {
            while (true) {
                val (news, over) = synchronized(lock) { (inbox.news.toList() to inbox.over).also { inbox.news.clear() } }
                news.forEach { emit(it) }
                if (news.isEmpty() && over) break
                if (news.isEmpty()) inbox.signal.receive()
            }
        } finally {
            synchronized(lock) { leave(inbox) }
        }
    }

    private fun leave(inbox: Inbox) {
        collectors.remove(inbox)
        val id = inbox.id ?: return
        val others = watchers[id] ?: return
        others.remove(inbox)
        if (others.isEmpty()) watchers.remove(id)
    }
}

internal fun Select.fits(snapshot: Snapshot): Boolean = when (this) {
    is Select.One -> snapshot.id == id
    is Select.Key -> snapshot.key == key
    is Select.Group -> snapshot.group == group
    is Select.Account -> snapshot.account == account
    Select.All -> true
}
