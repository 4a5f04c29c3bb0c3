package partway

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.StateFlow

/** One upload: a client and an id, a plain value. Copy it, keep it, drop it; the upload does not notice. */
data class Upload(val client: PartwayClient, val id: String) {
    /** As it changes, beginning with the present. */
    val snapshots: StateFlow<Snapshot>
        get() = client.snapshots(id)

    /** As it is. */
    val snapshot: Snapshot
        get() = snapshots.value

    /** Suspends until it ended. Cancelling this wait never cancels the upload. */
    suspend fun await(): Receipt = when (val end = client.awaitEnd(id).state) {
        is State.Completed -> end.receipt
        is State.Failed -> throw PartwayException(end.error)
        is State.Cancelled -> throw UploadCancelledException(end.remote)
        else -> error("an upload that ended has an ending")
    }

    /** Opts in to what [await] does not do: when the coroutine around it is cancelled, the upload is too. */
    suspend fun <T> cancelOnCancellation(block: suspend Upload.() -> T): T = try {
        block()
    } catch (e: CancellationException) {
        cancel()
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
