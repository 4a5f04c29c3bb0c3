package partway

import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.isActive

/** One upload: a client and an id, a plain value. Copy it, keep it, drop it; the upload does not notice. */
data class Upload(val client: PartwayClient, val id: String) {
    /** As it changes, beginning with the present; completes with its ending, or when there is none of that id any more: see [PartwayClient.snapshots]. */
    val snapshots: Flow<Snapshot>
        get() = client.snapshots(id)

    /** As it is; `null` when there is none of that id, such as after [forget]. */
    val snapshot: Snapshot?
        get() = client.snapshot(id)

    /**
     * Suspends until it ended. Throws [PartwayException] when it failed and [UploadCancelledException] when it was cancelled. Cancelling this wait never cancels the
     * upload; see [cancelOnCancellation].
     */
    suspend fun await(): Receipt = when (val end = client.awaitEnd(id).state) {
        is State.Completed -> end.receipt
        is State.Failed -> throw PartwayException(end.error)
        is State.Cancelled -> throw UploadCancelledException(end.remote)
        else -> error("an upload that ended has an ending")
    }

    /**
     * Opts in to what [await] does not do: when the coroutine around it is cancelled, the upload is too. A `withTimeout` around this cancels the upload when its time
     * is over; one within [block] ends no more than its own wait, since whoever called lives on.
     */
    suspend fun <T> cancelOnCancellation(block: suspend Upload.() -> T): T = try {
        block()
    } catch (e: Throwable) {
        if (!currentCoroutineContext().isActive) cancel()
        throw e
    }

    /** Stays until resumed, also over restarts. */
    fun pause() = Unit.also { client.pause(Select.One(id)) }

    /** Goes on; also "try now". */
    fun resume() = Unit.also { client.resume(Select.One(id)) }

    /** Ends; a wish: an object that exists already makes it completed. */
    fun cancel() = Unit.also { client.cancel(Select.One(id)) }

    /** "I have stored the ending." False: it has not ended, or was forgotten before. */
    suspend fun forget(): Boolean = client.forget(Select.One(id)) > 0

    /** Begins it again after it failed or was cancelled, with everything that was proven: another upload of the same key. */
    suspend fun retry(): Upload = client.retry(id)

    /** Answers an open conflict. Nothing is sent again. */
    fun answer(choice: ConflictChoice) = client.answerConflict(id, choice)

    /** Gives it its source again. The same bytes go on where it was. */
    fun attachSource(source: Source) = client.attachSource(id, source)

    /** What blocks it, when it is tried next, how often it was. */
    fun explain(): Explanation? = client.explain(id)

    override fun toString(): String = "Upload($id)"
}
