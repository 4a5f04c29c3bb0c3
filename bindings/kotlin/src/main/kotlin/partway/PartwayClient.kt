package partway

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.distinctUntilChanged
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

    /**
     * Each ending exactly once to each collector: first those from before it began that were not forgotten, then each upload that ends, however soon it is forgotten by
     * whom. Store it, then [forget] it. Completes when the client is closed.
     */
    val endings: Flow<Snapshot>

    /** Journals that could not be read at open. */
    val problems: List<Problem>

    /** Starts an upload, or finds the one of that key. When it returns the upload survives a kill. */
    suspend fun start(request: UploadRequest): Upload

    /** The same for many: each journal is synced, the directory once. One that is refused harms no other. */
    suspend fun startAll(requests: List<UploadRequest>): List<Result<Upload>>

    /** Stays until resumed, also over restarts. How many it was said to, as in the verbs below. */
    fun pause(which: Select): Int

    /** Goes on; also "try now" for what waits. */
    fun resume(which: Select): Int

    /** Ends; the ending tells what the service could undo. An object that exists already makes it completed. */
    fun cancel(which: Select): Int

    /** "I have stored the ending": removes ended uploads. Whoever waits for one of them, or collects [endings], is given its ending all the same. */
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

    /** Those that fit, oldest first; ended ones that were not forgotten too. */
    fun list(which: Select): List<Snapshot>

    /**
     * One upload: as it is, then each time the latest. Completes after its ending, when it is forgotten, and when the client is closed; at once and without any, if
     * there is none of that id. It never fails, so a screen may collect it again whenever it comes back.
     */
    fun snapshots(id: String): Flow<Snapshot>

    /**
     * Suspends until it ended. Cancelling this wait never cancels the upload. Throws `unknown_upload` when there is none of that id, and `closed` when the client is
     * closed before.
     */
    suspend fun awaitEnd(id: String): Snapshot

    /** What blocks it, when it is tried next, how often it was. */
    fun explain(id: String): Explanation?

    /** What happened to it, as JSON for a bug report; no name, path, key, tag, token or URL is in it. */
    suspend fun timelineJson(id: String): String?

    /** Asks the service for its own view of it; nothing of the upload changes. */
    suspend fun lookRemote(id: String): RemoteLook

    /** A credential, unasked, such as after a log-in; ends the waits for it. A closed client ignores it. */
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

    /**
     * No request in flight, all durable, no lock, no socket when it returns; a second does as a rule. [Idle.atRest] is false when the time was too short: nothing new
     * begins, and what still works comes to rest behind it.
     */
    suspend fun hold(timeoutMs: Long): Idle

    /** What a scheduler needs to know. */
    fun idle(): Idle

    /** Goes, and suspends until nothing works any more: the body of a background job. Cancelled, it holds first, for three seconds at most, and then throws. */
    suspend fun runUntilIdle(): Idle

    /**
     * Holds, then ends. False: something was cut off, or a callback has not returned; the journals are whole either way. Nothing is cancelled. Afterwards what looks
     * ([uploads], [snapshot], [find], [list]) answers as it was last, verbs that only post do nothing, and all else throws `closed`.
     */
    suspend fun close(timeoutMs: Long): Boolean

    /** The same at once; it also cuts short a [close] that still waits. */
    override fun close()
}

/** An upload by its id: a plain value, nothing to close. */
fun PartwayClient.upload(id: String): Upload = Upload(this, id)

/** The uploads of a group, oldest first. */
fun PartwayClient.uploads(group: String): Flow<List<Snapshot>> =
    uploads.map { all -> all.values.filter { it.group == group }.sortedBy { it.id } }.distinctUntilChanged()

/** True for the three endings. */
val State.ended: Boolean
    get() = this is State.Completed || this is State.Failed || this is State.Cancelled

/** For a progress bar: 0 to 1, never falls. */
val Progress.fraction: Float
    get() = if (bytesTotal > 0) bytesShown.toFloat() / bytesTotal else 0f
