package partway

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map

/**
 * Uploads of one state directory. An upload is a row: it has your key, it is durable when [start] returns, it is seen as one [Snapshot], and its ending is kept
 * until you [forget] it. An interface, so that it can be faked: [FakePartway].
 *
 * Functions that suspend do their work on `Dispatchers.IO`; all others do no I/O and may be called on the main thread.
 */
interface PartwayClient : AutoCloseable {
    /** Every upload that is not forgotten, by its id. Conflated, at most ten changes a second. */
    val uploads: StateFlow<Map<String, Snapshot>>

    /** Journals that could not be read at open. */
    val problems: List<Problem>

    /** Starts an upload, or finds the one of that key. When it returns the upload survives a kill. */
    suspend fun start(request: UploadRequest): Upload

    /** The same for many, with one sync for the lot. One that is refused harms no other. */
    suspend fun startAll(requests: List<UploadRequest>): List<Result<Upload>>

    /** Stays until resumed, also over restarts. How many it was said to, as in the verbs below. */
    fun pause(which: Select): Int

    /** Goes on; also "try now" for what waits. */
    fun resume(which: Select): Int

    /** Ends; the ending tells what the service could undo. An object that exists already makes it completed. */
    fun cancel(which: Select): Int

    /** "I have stored the ending": removes ended uploads. */
    suspend fun forget(which: Select): Int

    /** Begins a failed or cancelled upload again: a new id, the same key, everything that was proven. */
    suspend fun retry(id: String): Upload

    /** Changes what is given. */
    fun change(which: Select, change: Change): Int

    /** Answers an open conflict. Nothing is sent again. */
    fun answerConflict(id: String, choice: ConflictChoice)

    /** Gives an upload its source again. The same bytes go on where it was. */
    fun attachSource(id: String, source: Source)

    /** One upload. */
    fun snapshot(id: String): Snapshot?

    /** The upload of a key. */
    fun find(key: String): Snapshot?

    /** Those that fit, oldest first. */
    fun list(which: Select): List<Snapshot>

    /** One upload as it changes; the last one stays after it is forgotten. */
    fun snapshots(id: String): StateFlow<Snapshot>

    /** Suspends until it ended. Cancelling this wait never cancels the upload. */
    suspend fun awaitEnd(id: String): Snapshot

    /** What blocks it, when it is tried next, how often it was. */
    fun explain(id: String): Explanation?

    /** What happened to it, as JSON for a bug report; no name, path, key, tag, token or URL is in it. */
    suspend fun timelineJson(id: String): String?

    /** Asks the service for its own view of it; nothing of the upload changes. */
    suspend fun lookRemote(id: String): RemoteLook

    /** A credential, unasked, such as after a log-in; ends the waits for it. */
    fun setCredential(account: String, credential: Credential)

    /** Nobody is signed in to the account any more: its credential is wiped from memory before this returns. */
    suspend fun signOut(account: String, then: SignOut)

    /** What the app knows of the network. */
    fun setNetwork(network: Network)

    /** New bounds, at once. */
    fun setLimits(limits: Limits)

    /** Another proxy, `http://[user:password@]host:port`, or none. */
    fun setProxy(proxy: Secret?)

    /** Goes on after [hold], or after an open without autostart. */
    fun go()

    /** The same for these alone: the others stay as they are until [go]. */
    fun goOnly(ids: List<String>)

    /** No request in flight, all durable, no lock, no socket when it returns, unless the time was too short. */
    suspend fun hold(timeoutMs: Long): Idle

    /** What a scheduler needs to know. */
    fun idle(): Idle

    /** Goes, and suspends until nothing works any more: the body of a background job. Cancelled, it holds first. */
    suspend fun runUntilIdle(): Idle

    /** Holds, then ends. False: something was cut off; the journals are whole either way. Nothing is cancelled. */
    suspend fun close(timeoutMs: Long): Boolean

    /** The same at once. */
    override fun close()
}

/** An upload by its id: a plain value, nothing to close. */
fun PartwayClient.upload(id: String): Upload = Upload(this, id)

/** The uploads of a group, oldest first. */
fun PartwayClient.uploads(group: String): Flow<List<Snapshot>> =
    uploads.map { all -> all.values.filter { it.group == group }.sortedBy { it.id } }.distinctUntilChanged()

/** Each ending once to each collector, those from before it began and were not forgotten first. Store it, then [PartwayClient.forget] it. */
val PartwayClient.endings: Flow<Snapshot>
    get() = flow {
        val told = HashSet<String>()
        uploads.collect { all ->
            told.retainAll(all.keys)
            all.values.filter { it.state.ended && it.id !in told }.sortedBy { it.changedUnixMs }.forEach {
                told += it.id
                emit(it)
            }
        }
    }

/** True for the three endings. */
val State.ended: Boolean
    get() = this is State.Completed || this is State.Failed || this is State.Cancelled

/** For a progress bar: 0 to 1, never falls. */
val Progress.fraction: Float
    get() = if (bytesTotal > 0) bytesShown.toFloat() / bytesTotal else 0f
