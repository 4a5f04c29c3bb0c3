package partway

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map

/**
 * Uploads of one state directory. An upload is a row: it has your key, it is durable when [start] returns, it is seen as one [Snapshot], and its ending is kept
 * until you [forget] it. An interface, so that it can be faked: [FakePartway].
 *
 * All of it may be called from any thread, and at the same time. What suspends does its work on threads of this library (views of `Dispatchers.IO` with threads of
 * their own), so it may be called on the main thread too, and so may all that does not suspend: it does no I/O, unless it says so. A suspended call that is
 * cancelled throws when its work is over; that of [awaitEnd], [awaitIdle] and [runUntilIdle] takes no thread, and they throw at once. Flows are collected where
 * their collectors are. What can't be done throws [PartwayException]; once the client is closed that is `closed`, where nothing else is said.
 */
interface PartwayClient : AutoCloseable {
    /**
     * Every upload that is not forgotten, by its id. Conflated, at most ten changes a second, and whatever a call that has returned did. A collector on
     * `Dispatchers.Unconfined` runs on the thread that made the change, often one of the library: it delays what is told next.
     */
    val uploads: StateFlow<Map<String, Snapshot>>

    /**
     * Each ending exactly once to each collector: first those from before it began that were not forgotten, then each upload that ends, however soon it is forgotten by
     * whom. Store it, then [forget] it. A slow collector delays nobody else. Completes when the client is closed.
     */
    val endings: Flow<Snapshot>

    /**
     * Whenever nothing works any more, beginning with the present if that is so: what a scheduler needs to know then, such as [Idle.nextWakeMs]. Conflated: a rest that is
     * over before its collector looks is not told. Goes and holds nothing. Completes when the client is closed.
     */
    val idles: Flow<Idle>

    /** Journals that could not be read at open: each was left as it is, or set aside if it was damaged, and harms no other. */
    val problems: List<Problem>

    /** The bounds that were set last, at [Partway.open] or by [setLimits]; what is `null` in them is as the library has it. */
    val limits: Limits

    /**
     * Starts an upload, or finds the one of that key: [StartedUpload.how] tells. One that failed or was cancelled is begun again, as the request says now, with what it
     * had proven; its row is gone. When it returns the upload survives a kill. Suspends for a file. Throws what is wrong with the request.
     */
    suspend fun start(request: UploadRequest): StartedUpload

    /** The same for many, in their order: each journal is synced, the directory once. One that is refused harms no other. Suspends for files. */
    suspend fun startAll(requests: List<UploadRequest>): List<Result<StartedUpload>>

    /** Stays until resumed, also over restarts. How many it was said to, as in the verbs below: posted, it does not block, and a closed client ignores it (0). */
    fun pause(which: Select): Int

    /** Goes on; also "try now" for what waits. Posted. */
    fun resume(which: Select): Int

    /** Ends; the ending tells what the service could undo. An object that exists already makes it completed. Posted. */
    fun cancel(which: Select): Int

    /**
     * "I have stored the ending": removes ended uploads; how many. Whoever waits for one of them, or collects [endings], is given its ending all the same. Suspends for
     * files.
     */
    suspend fun forget(which: Select): Int

    /** Begins a failed or cancelled upload again: a new id, the same key, everything that was proven. The old row is gone. Suspends for a file. */
    suspend fun retry(id: String): StartedUpload

    /** Changes what is given, for this process and the next. Posted; what can't be is refused at once. */
    @Throws(PartwayException::class)
    fun change(which: Select, change: Change): Int

    /** Answers an open conflict, be it of [Conflict.Ask] or of [Conflict.Refuse]: both wait for this. Nothing is sent again. Posted; refused where none is open. */
    @Throws(PartwayException::class)
    fun answerConflict(id: String, choice: ConflictChoice)

    /** Gives an upload its source again. The same bytes go on where it was. Posted; a descriptor is duplicated or taken over before this returns. */
    @Throws(PartwayException::class)
    fun attachSource(id: String, source: Source)

    /** One upload; `null` when there is none of that id. Does not block. */
    fun snapshot(id: String): Snapshot?

    /** The upload of a key; `null` when there is none. Does not block. */
    fun find(key: String): Snapshot?

    /** Those that fit, oldest first; ended ones that were not forgotten too. Does not block. */
    fun list(which: Select): List<Snapshot>

    /**
     * One upload: as it is, then each time the latest. Completes after its ending, when it is forgotten, and when the client is closed; at once and without any, if
     * there is none of that id. It never fails, so a screen may collect it again whenever it comes back. Each collector has its own, and nothing to close.
     */
    fun snapshots(id: String): Flow<Snapshot>

    /**
     * Suspends until it ended, without a thread. Cancelling this wait never cancels the upload. Throws `unknown_upload` when there is none of that id, and `closed` when
     * the client is closed before.
     */
    suspend fun awaitEnd(id: String): Snapshot

    /** What blocks it, when it is tried next, how often it was; `null` when there is none of that id, or the client is closed. Does not block. */
    fun explain(id: String): Explanation?

    /** What happened to it, as JSON for a bug report; no name, path, key, tag, token or URL is in it. Suspends for a file. */
    suspend fun timelineJson(id: String): String?

    /** Asks the service for its own view of it; nothing of the upload changes. Suspends for the credential and for the service's answers. */
    suspend fun lookRemote(id: String): RemoteLook

    /** A credential, unasked, such as after a log-in; ends the waits for it. Posted; a closed client ignores it. */
    @Throws(PartwayException::class)
    fun setCredential(account: String, credential: Credential)

    /**
     * Nobody is signed in to the account any more: before this returns its credential is wiped from where it was kept for further requests, nothing new starts,
     * and what is under way for it is told to end. A request that is on its way still carries it until it has ended, and the service may still carry it out;
     * [hold] returns when none is left. Suspends for files.
     */
    suspend fun signOut(account: String, then: SignOut)

    /** What the app knows of the network, all of it. Posted; a closed client ignores it. */
    fun setNetwork(network: Network)

    /**
     * New bounds, all of them: what is left out is as the library has it. To change one, `setLimits(limits.copy(rateBytesPerS = …))`. What begins from here on keeps to
     * them, what is under way is not stopped; a rate holds at once. Posted; a closed client ignores it.
     */
    fun setLimits(limits: Limits)

    /** Another proxy, `http://[user:password@]host:port`, or none. Does not block. Refused for a text that is none, and with a [Transport] of your own. */
    @Throws(PartwayException::class)
    fun setProxy(proxy: Secret?)

    /** Goes on after [hold], or after an open without autostart. Posted; a closed client ignores it. */
    fun go()

    /** The same for these alone: the others stay as they are until [go]. Posted. */
    fun goOnly(ids: List<String>)

    /**
     * No request in flight, all durable, no lock, no socket when it returns; a second does as a rule. [Idle.atRest] is false when the time was too short: nothing new
     * begins, and what still works comes to rest behind it. Suspends for [timeoutMs] at most, on threads that nothing else of the app or of this library takes.
     */
    suspend fun hold(timeoutMs: Long): Idle

    /** What a scheduler needs to know, now. Does not block. */
    @Throws(PartwayException::class)
    fun idle(): Idle

    /**
     * Suspends until nothing works any more, or for [timeoutMs]: then [Idle.atRest] is false. Without a time it waits for as long as it takes, and it takes no thread. It
     * only looks: a client that is held is at rest. Throws `closed` when the client is closed before.
     */
    suspend fun awaitIdle(timeoutMs: Long? = null): Idle

    /**
     * [go], then [awaitIdle]: the body of a background job. Cancelled, it holds first, for three seconds at most, and then throws.
     */
    suspend fun runUntilIdle(): Idle

    /**
     * Holds, then ends. False: something was cut off, or a callback has not returned; the journals are whole either way. Nothing is cancelled. Afterwards what looks
     * ([uploads], [snapshot], [find], [list]) answers as it was last, verbs that only post do nothing, and all else throws `closed`. Coroutines of lambdas are cancelled,
     * flows complete, waits throw `closed`. Suspends for [timeoutMs] at most, also when it is cancelled.
     */
    suspend fun close(timeoutMs: Long): Boolean

    /** The same at once, without waiting for anything to come to rest; it also cuts short a [close] that still waits. May be called on any thread. */
    override fun close()
}

/** An upload by its id: a plain value, nothing to close. Does not look whether there is one. */
fun PartwayClient.upload(id: String): Upload = Upload(this, id)

/** The uploads of a group, oldest first, whenever one of them changes. */
fun PartwayClient.uploads(group: String): Flow<List<Snapshot>> =
    uploads.map { all -> all.values.filter { it.group == group }.sortedBy { it.id } }.distinctUntilChanged()

/** True for the three endings. */
val State.ended: Boolean
    get() = this is State.Completed || this is State.Failed || this is State.Cancelled

/** For a progress bar: 0 to 1, never falls. */
val Progress.fraction: Float
    get() = if (bytesTotal > 0) bytesShown.toFloat() / bytesTotal else 0f
