package partway

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi

/**
 * Where calls block. Views of `Dispatchers.IO` with threads of their own: an app that has all of its 64 at work keeps none of these from running, and what waits in
 * one of them none of the others.
 */
@OptIn(ExperimentalCoroutinesApi::class) // Stable since coroutines 1.9.
internal object Threads {
    /** A file is written or read. */
    val disk: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(8)

    /** The service answers. */
    val network: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(16)

    /** What is under way comes to rest: the systems leave little time for it. */
    val rest: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(16)
}
