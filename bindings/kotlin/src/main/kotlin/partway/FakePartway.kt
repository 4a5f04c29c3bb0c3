package partway

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.first

/**
 * A client for tests of an app: no native library, no thread, nothing happens by itself. [emit] plays what should be seen; what the app asked for is noted.
 * Verbs do the obvious: a pause shows as paused, a cancel as cancelled, and what is forgotten is gone. Rows, waits and endings are those of the real client.
 */
class FakePartway : PartwayClient {
    private val rows = Rows()
    private val over = MutableStateFlow(false)

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
    val closed: Boolean
        get() = over.value

    /** The error that the next [start] throws. */
    var refuseNext: ErrorInfo? = null

    override val uploads: StateFlow<Map<String, Snapshot>> = rows.uploads
    override val endings: Flow<Snapshot> = rows.endings()
    override val problems: List<Problem> = emptyList()

    /** Shows [snapshot], as the newest of its id. */
    fun emit(snapshot: Snapshot) {
        rows.show { listOf(snapshot.copy(revision = (uploads.value[snapshot.id]?.revision ?: 0) + 1)) }
    }

    /** Shows the upload of [id] in another state. */
    fun emit(id: String, state: State, progress: Progress = row(id).progress) = emit(row(id).copy(state = state, progress = progress))

    override suspend fun start(request: UploadRequest): Upload {
        requireOpen()
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
        requireOpen()
        val ended = list(which).filter { it.state.ended }.map(Snapshot::id)
        rows.forgotten(ended)
        return ended.size
    }

    override suspend fun retry(id: String): Upload {
        requireOpen()
        val old = snapshot(id) ?: throw unknownUpload()
        if (!old.state.ended || old.state is State.Completed) throw wrongState()
        rows.forgotten(listOf(id))
        return start(requests.getValue(id).copy(key = old.key))
    }

    override fun change(which: Select, change: Change): Int = requireOpen().let { list(which).count { !it.state.ended } }

    override fun answerConflict(id: String, choice: ConflictChoice) {
        requireOpen()
        answers += choice
        emit(id, State.Queued)
    }

    override fun attachSource(id: String, source: Source) {
        requireOpen()
        attached[id] = source
        emit(id, State.Queued)
    }

    override fun snapshot(id: String): Snapshot? = uploads.value[id]

    override fun find(key: String): Snapshot? = list(Select.Key(key)).firstOrNull()

    override fun list(which: Select): List<Snapshot> = rows.list(which)

    override fun snapshots(id: String): Flow<Snapshot> = rows.snapshots(id)

    override suspend fun awaitEnd(id: String): Snapshot = rows.awaitEnd(id)

    override fun explain(id: String): Explanation? = snapshot(id)?.let { Explanation(it.state, it.changedUnixMs, emptyList(), null, 0, 0, Remedy.NONE, "") }

    override suspend fun timelineJson(id: String): String? = null

    override suspend fun lookRemote(id: String): RemoteLook = RemoteLook.NoSession

    override fun setCredential(account: String, credential: Credential) {
        if (!closed) credentials[account] = credential
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
        requireOpen()
        held = true
        return idle().copy(atRest = true)
    }

    override fun idle(): Idle = requireOpen().let {
        val states = uploads.value.values.map(Snapshot::state)
        val (active, queued) = states.count { it is State.Active } to states.count { it == State.Queued }
        Idle(held || active + queued == 0, active, queued, 0, null, NetworkPolicy.ANY, states.count { it is State.Waiting })
    }

    override suspend fun runUntilIdle(): Idle {
        go()
        try {
            combine(uploads, over) { all, over -> over || all.values.none { it.state is State.Active || it.state == State.Queued } }.first { it }
        } catch (e: CancellationException) {
            held = true
            throw e
        }
        return idle()
    }

    override suspend fun close(timeoutMs: Long): Boolean = true.also { close() }

    override fun close() {
        rows.finish(list(Select.All))
        over.value = true
    }

    /** What a closed client can't do any more. */
    private fun requireOpen() {
        if (closed) throw closedError()
    }

    private fun row(id: String): Snapshot = requireNotNull(snapshot(id)) { "nothing was emitted of $id" }

    private fun move(which: Select, state: State): Int {
        if (closed) return 0
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
