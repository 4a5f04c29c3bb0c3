package partway

import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.update

/**
 * A client for tests of an app: no native library, no thread, nothing happens by itself. [emit] plays what should be seen; what the app asked for is noted.
 * Verbs do the obvious: a pause shows as paused, a cancel as cancelled.
 */
class FakePartway : PartwayClient {
    private val rows = MutableStateFlow<Map<String, Snapshot>>(emptyMap())
    private val watched = HashMap<String, MutableStateFlow<Snapshot>>()

    /** What was started, by id. */
    val requests: MutableMap<String, UploadRequest> = LinkedHashMap()

    /** Conflicts that were answered, in order. */
    val answers: MutableList<ConflictChoice> = ArrayList()

    /** Sources that were attached, by id. */
    val attached: MutableMap<String, Source> = LinkedHashMap()

    /** Credentials that were set, by account. */
    val credentials: MutableMap<String, Credential> = LinkedHashMap()

    /** The network that was told last. */
    var network: Network? = null
        private set

    /** The bounds that were set last. */
    var limits: Limits? = null
        private set

    /** True between [hold] and [go]. */
    var held: Boolean = false
        private set

    /** True once closed. */
    var closed: Boolean = false
        private set

    /** The error that the next [start] throws. */
    var refuseNext: ErrorInfo? = null

    override val uploads: StateFlow<Map<String, Snapshot>> = rows
    override val problems: List<Problem> = emptyList()

    /** Shows [snapshot], as the newest of its id. */
    fun emit(snapshot: Snapshot) {
        val next = snapshot.copy(revision = (rows.value[snapshot.id]?.revision ?: 0) + 1)
        rows.update { it + (next.id to next) }
        watched[next.id]?.value = next
    }

    /** Shows the upload of [id] in another state. */
    fun emit(id: String, state: State, progress: Progress = row(id).progress) = emit(row(id).copy(state = state, progress = progress))

    override suspend fun start(request: UploadRequest): Upload {
        refuseNext?.let {
            refuseNext = null
            throw PartwayException(it)
        }
        val known = find(request.key)
        if (known != null) return upload(known.id)
        val id = (requests.size + 1).toString().padStart(26, '0')
        requests[id] = request
        emit(fakeSnapshot(id, request.key).copy(group = request.group, tags = request.tags))
        return upload(id)
    }

    override suspend fun startAll(requests: List<UploadRequest>): List<Result<Upload>> = requests.map { runCatching { start(it) } }

    override fun pause(which: Select): Int = move(which, State.Paused)

    override fun resume(which: Select): Int = move(which, State.Queued)

    override fun cancel(which: Select): Int = move(which, State.Cancelled(Remote.NOTHING_THERE))

    override suspend fun forget(which: Select): Int {
        val ended = list(which).filter { it.state.ended }
        rows.update { it - ended.map(Snapshot::id).toSet() }
        return ended.size
    }

    override suspend fun retry(id: String): Upload {
        val old = row(id)
        rows.update { it - id }
        return start(requests.getValue(id).copy(key = old.key))
    }

    override fun change(which: Select, change: Change): Int = list(which).count { !it.state.ended }

    override fun answerConflict(id: String, choice: ConflictChoice) {
        answers += choice
        emit(id, State.Queued)
    }

    override fun attachSource(id: String, source: Source) {
        attached[id] = source
        emit(id, State.Queued)
    }

    override fun snapshot(id: String): Snapshot? = rows.value[id]

    override fun find(key: String): Snapshot? = rows.value.values.find { it.key == key }

    override fun list(which: Select): List<Snapshot> = rows.value.values.sortedBy { it.id }.filter {
        when (which) {
            is Select.One -> it.id == which.id
            is Select.Key -> it.key == which.key
            is Select.Group -> it.group == which.group
            is Select.Account -> it.account == which.account
            Select.All -> true
        }
    }

    override fun snapshots(id: String): StateFlow<Snapshot> = watched.getOrPut(id) { MutableStateFlow(row(id)) }

    override suspend fun awaitEnd(id: String): Snapshot = snapshots(id).filter { it.state.ended }.first()

    override fun explain(id: String): Explanation? = snapshot(id)?.let { Explanation(it.state, it.changedUnixMs, emptyList(), null, 0, 0, Remedy.NONE, "") }

    override suspend fun timelineJson(id: String): String? = null

    override suspend fun lookRemote(id: String): RemoteLook = RemoteLook.NoSession

    override fun setCredential(account: String, credential: Credential) {
        credentials[account] = credential
    }

    override suspend fun signOut(account: String, then: SignOut) {
        credentials -= account
    }

    override fun setNetwork(network: Network) {
        this.network = network
    }

    override fun setLimits(limits: Limits) {
        this.limits = limits
    }

    override fun setProxy(proxy: Secret?) = Unit

    override fun go() {
        held = false
    }

    override fun goOnly(ids: List<String>) = go()

    override suspend fun hold(timeoutMs: Long): Idle {
        held = true
        return idle()
    }

    override fun idle(): Idle = rows.value.values.let { all ->
        Idle(all.count { it.state is State.Active }, all.count { it.state == State.Queued }, 0, null, NetworkPolicy.ANY, all.count { it.state is State.Waiting })
    }

    override suspend fun runUntilIdle(): Idle {
        go()
        rows.first { all -> all.values.none { it.state is State.Active || it.state == State.Queued } }
        return idle()
    }

    override suspend fun close(timeoutMs: Long): Boolean = true.also { close() }

    override fun close() {
        closed = true
    }

    private fun row(id: String): Snapshot = requireNotNull(rows.value[id]) { "nothing was emitted of $id" }

    private fun move(which: Select, state: State): Int {
        val moved = list(which).filter { !it.state.ended }
        moved.forEach { emit(it.id, state) }
        return moved.size
    }
}

/** A snapshot for a test; `copy` it into what is needed. */
fun fakeSnapshot(id: String, key: String = id, state: State = State.Queued): Snapshot = Snapshot(
    id = id, key = key, group = null, tags = emptyMap(), service = Service.SMH, account = "me", destination = key,
    network = NetworkPolicy.ANY, revision = 1,
    state = state, progress = Progress(0, 0, 0, 0, 0, 0, 0, null, 0, 0, 0, 0), createdUnixMs = 0, changedUnixMs = 0,
)
