package partway

import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.isActive

/**
 * One upload: a client and an id, a plain value, made by [PartwayClient.upload] too. Copy it, keep it, drop it; the upload does not notice, and there is nothing to
 * close. Two of one client and id are equal. Where threads matter, its functions are those of [PartwayClient].
 */
open class Upload(
    /** Whose. */
    val client: PartwayClient,
    /** Which: 26 characters. */
    val id: String,
) {
    /**
     * As it changes, beginning with the present; completes with its ending, or when there is none of that id any more: see [PartwayClient.snapshots]. Collected where
     * the collector is; each collector has its own.
     */
    val snapshots: Flow<Snapshot>
        get() = client.snapshots(id)

    /** As it is; `null` when there is none of that id, such as after [forget]. Does not block. */
    val snapshot: Snapshot?
        get() = client.snapshot(id)

    /**
     * Suspends until it ended, without a thread. Throws [PartwayException] when it failed and [UploadCancelledException] when it was cancelled. Cancelling this wait never
     * cancels the upload; see [cancelOnCancellation].
     */
    suspend fun await(): Receipt = when (val end = client.awaitEnd(id).state) {
        is State.Completed -> end.receipt
        is State.Failed -> throw PartwayException(end.error)
        is State.Cancelled -> throw UploadCancelledException(end.remote)
        else -> error("an upload that ended has an ending")
    }

    /**
     * Opts in to what [await] does not do: when the coroutine around it is cancelled, the upload is too. A `withTimeout` around this cancels the upload when its time
     * is over; one within [block] ends no more than its own wait, since whoever called lives on. [block] runs where this is called.
     */
    suspend fun <T> cancelOnCancellation(block: suspend Upload.() -> T): T = try {
        block()
    } catch (e: Throwable) {
        if (!currentCoroutineContext().isActive) cancel()
        throw e
    }

    /** Stays until resumed, also over restarts. Posted: does not block. */
    fun pause() = Unit.also { client.pause(Select.One(id)) }

    /** Goes on; also "try now". Posted: does not block. */
    fun resume() = Unit.also { client.resume(Select.One(id)) }

    /** Ends; a wish: an object that exists already makes it completed. Posted: does not block. */
    fun cancel() = Unit.also { client.cancel(Select.One(id)) }

    /** "I have stored the ending." False: it has not ended, or was forgotten before. Suspends for a file. */
    suspend fun forget(): Boolean = client.forget(Select.One(id)) > 0

    /** Begins it again after it failed or was cancelled, with everything that was proven: another upload of the same key. Suspends for a file. */
    suspend fun retry(): StartedUpload = client.retry(id)

    /** Answers an open conflict. Nothing is sent again. Posted: does not block. */
    @Throws(PartwayException::class)
    fun answer(choice: ConflictChoice) = client.answerConflict(id, choice)

    /** Gives it its source again. The same bytes go on where it was. Posted: does not block, but for a descriptor, which is duplicated. */
    @Throws(PartwayException::class)
    fun attachSource(source: Source) = client.attachSource(id, source)

    /** What blocks it, when it is tried next, how often it was. Does not block. */
    fun explain(): Explanation? = client.explain(id)

    override fun equals(other: Any?): Boolean = other is Upload && other.client == client && other.id == id

    override fun hashCode(): Int = 31 * client.hashCode() + id.hashCode()

    override fun toString(): String = "Upload($id)"
}

/** An upload as a start gave it. */
class StartedUpload(
    client: PartwayClient,
    id: String,
    /**
     * Whether something was made: [How.New]; [How.AlreadyThere], an upload of that key that goes on as it was asked for then, or whose ending was not forgotten;
     * [How.Continued], a new one with what a failed or cancelled one had proven, which is gone.
     */
    val how: How,
) : Upload(client, id)
