package partway.test

import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import partway.Credential
import partway.How
import partway.Idle
import partway.Limits
import partway.LivePartway
import partway.LogLevel
import partway.PartwayException
import partway.RemoteLook
import partway.Secret
import partway.Select
import partway.State
import partway.WaitReason
import partway.Why
import partway.ended

/** How the client starts, rests, is asked and is opened. */
internal val RUNNING: Map<String, suspend World.() -> Unit> = linkedMapOf(
    "a_start_tells_how" to { aStartTellsHow() },
    "rests_are_told_and_waited_for" to { restsAreToldAndWaitedFor() },
    "a_wait_ends_with_its_client" to { aWaitEndsWithItsClient() },
    "an_ask_for_a_credential_has_other_answers" to { anAskHasOtherAnswers() },
    "lambdas_are_cancelled_with_their_client" to { lambdasAreCancelled() },
    "an_open_suspends" to { anOpenSuspends() },
    "an_app_that_takes_every_thread_is_held" to { anAppThatTakesEveryThread() },
    "one_bound_is_changed_alone" to { oneBoundIsChangedAlone() },
)

private const val STALL = """"step":"part","how":"stall","after_bytes":1000"""

private suspend fun World.aStartTellsHow() {
    val client = open()
    val file = folder.file("film.mp4", 9 * MIB)
    cloud.rule(""""step":"part","how":"stall","after_bytes":1000,"after":1""")
    val first = client.start(request(file))
    check(first.how == How.New && client.start(request(file)).how == How.AlreadyThere)
    first.until { it.progress.partsDone == 1 }
    first.cancel()
    first.until { it.state.ended }
    // Begun again by its key: the old row is gone when this returns, whatever was told by then.
    val second = client.start(request(file))
    check(second.how == How.Continued(first.id) && client.uploads.value.keys == setOf(second.id)) { "${second.how}, ${client.uploads.value.keys}" }
    check(first.snapshot == null && client.list(Select.All).map { it.id } == listOf(second.id))
    second.cancel()
    second.until { it.state.ended }
    cloud.clearRules()
    val hows = client.startAll(listOf(request(file), request(file, "other"), request(file))).map { it.getOrThrow().how }
    val third = client.find("film.mp4")!!.id
    check(hows == listOf(How.Continued(second.id), How.New, How.AlreadyThere) && client.uploads.value.keys == setOf(third, client.find("other")!!.id)) { "$hows" }
    val upload = client.start(request(file))
    soon { upload.await() }
    checkStored("film.mp4", file)
    check(client.start(request(file)).how == How.AlreadyThere) { "its ending was not forgotten" }
    check(upload.forget() && client.start(request(file)).how == How.New)
    (client as LivePartway).let { live -> eventually("it was told that the others are forgotten") { live.rows.departing == 0 } }
}

private suspend fun World.restsAreToldAndWaitedFor() = coroutineScope {
    val client = open { autostart = false }
    val rests = ConcurrentLinkedQueue<Idle>()
    val watching = launch(start = CoroutineStart.UNDISPATCHED) { client.idles.collect { rests += it } }
    val upload = client.start(request(folder.file("film.mp4", 9 * MIB)))
    // What only waits lets nothing go.
    check(soon { client.awaitIdle() }.atRest && client.awaitIdle(60_000).atRest)
    check(cloud.log().isEmpty() && !upload.snapshot!!.state.ended) { "${upload.snapshot}" }
    eventually("the present is told") { rests.isNotEmpty() }
    cloud.rule(STALL)
    client.go()
    upload.until { it.progress.partsTotal > 0 }
    check(!client.awaitIdle(20).atRest && !client.awaitIdle(0).atRest) { "it works" }
    // Whoever does not wait any more holds nothing.
    throws<TimeoutCancellationException> { withTimeout(20.milliseconds) { client.awaitIdle() } }
    check(!client.idle().atRest && upload.snapshot!!.state is State.Active)
    val told = rests.size
    val waiting = async(start = CoroutineStart.UNDISPATCHED) { client.awaitIdle() }
    cloud.clearRules()
    check(client.hold(30_000).atRest && soon { waiting.await() }.atRest)
    eventually("the rest is told") { rests.size > told }
    // The rest before it is not taken for the one after it.
    repeat(20) {
        client.hold(30_000)
        client.go()
        check(soon { client.awaitIdle() }.atRest)
    }
    check(soon { client.runUntilIdle() }.atRest && upload.snapshot!!.state is State.Completed)
    check(rests.all { it.atRest })
    client.close()
    soon { watching.join() }
    check(soon { client.idles.toList() }.isEmpty())
}

private suspend fun World.aWaitEndsWithItsClient() = coroutineScope {
    cloud.rule(STALL)
    val client = open()
    client.start(request(folder.file("film.mp4", 9 * MIB))).until { it.progress.partsTotal > 0 }
    val waits = listOf<suspend () -> Any>({ client.awaitIdle() }, { client.awaitIdle(600_000) }, { client.runUntilIdle() }, { client.idles.first() })
        .map { wait -> async(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { runCatching { wait() }.exceptionOrNull() } }
    client.close()
    val ends = waits.map { soon { it.await() } }
    check(ends.take(3).all { (it as PartwayException).info.name == "closed" } && ends.last() is NoSuchElementException) { "$ends" }
}

private suspend fun World.anAskHasOtherAnswers() {
    val asked = ConcurrentLinkedQueue<Why>()
    val client = open {
        credentials { ask ->
            asked += ask.why()
            if (asked.size == 1) ask.later(retryInMs = 100) else ask.signedOut()
            null
        }
    }
    val file = folder.file("photo.jpg", MIB)
    val upload = client.start(request(file))
    // Asked again by itself, since that was said, and then not any more.
    eventually("it is asked again") { asked.size == 2 }
    upload.until { it.state.let { state -> state is State.Waiting && state.waiting.reason == WaitReason.CREDENTIAL && state.waiting.retryInMs == null } }
    check(soon { client.awaitIdle() }.atRest && asked.size == 2 && client.idle().nextWakeMs == null) { "$asked, ${client.idle()}" }
    client.resume(Select.All)
    soon { client.awaitIdle() }
    check(asked.size == 2) { "nobody is signed in: $asked" }
    client.setCredential("me", Credential.Token(Secret(cloud.token)))
    soon { upload.await() }
    checkStored("photo.jpg", file)
}

private suspend fun World.lambdasAreCancelled() {
    val (began, over) = CompletableDeferred<Unit>() to CompletableDeferred<Unit>()
    val client = open {
        token { _, _ ->
            began.complete(Unit)
            try {
                awaitCancellation()
            } finally {
                over.complete(Unit)
            }
        }
    }
    client.start(request(folder.file("photo.jpg", MIB)))
    soon { began.await() }
    check(!over.isCompleted && client.close(30_000))
    soon { over.await() }
    check(client.uploads.value.values.none { it.state.ended })
}

private suspend fun World.anOpenSuspends() = coroutineScope {
    val (within, release) = CompletableDeferred<Unit>() to CountDownLatch(1)
    val armed = AtomicBoolean()
    val client = open {
        log(LogLevel.DEBUG) { _, _, _ ->
            if (armed.get()) {
                within.complete(Unit)
                release.await()
            }
        }
    }
    armed.set(true)
    client.start(request(folder.file("small", 64 shl 10)))
    soon { within.await() }
    val closing = async(Dispatchers.IO) { client.close(600_000) }
    eventually("it is closing") { (client as LivePartway).isClosing }
    // On this thread: were it to block, nobody would come to the line below.
    val next = List(20) { async(start = CoroutineStart.UNDISPATCHED) { open() } }
    val cancelled = launch(start = CoroutineStart.UNDISPATCHED) { open() }
    cancelled.cancelAndJoin()
    check(next.none { it.isCompleted })
    release.countDown()
    soon { closing.await() }
    check(next.map { soon { it.await() } }.distinct().single() !== client)
    // What could not be opened is no one's place.
    val other = java.io.File(folder.root, "other").apply { writeText("no folder") }
    check(throws<PartwayException> { open(other) }.info.name == "state_dir_unusable")
    throws<IllegalStateException> { open(java.io.File(folder.root, "third")) { error("not configured") } }
    other.delete()
    soon { open(other) }
    soon { open(java.io.File(folder.root, "third")) }
}

private suspend fun World.anAppThatTakesEveryThread() = coroutineScope {
    val client = open()
    val (blocked, release) = AtomicInteger() to CountDownLatch(1)
    val app = List(64) {
        launch(Dispatchers.IO) {
            blocked.incrementAndGet()
            release.await()
        }
    }
    val goesOn = async(Dispatchers.Default) {
        eventually("every thread is taken") { blocked.get() == 64 }
        cloud.rule(STALL)
        val upload = client.start(request(folder.file("film.mp4", 9 * MIB)))
        upload.until { it.progress.partsTotal > 0 }
        // Nor do waits of its own, be they ever so many.
        val waits = List(200) { async(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { client.awaitIdle() } }
        check(client.hold(30_000).atRest && waits.awaitAll().all { it.atRest } && client.timelineJson(upload.id) != null)
        cloud.clearRules()
        check(client.lookRemote(upload.id) is RemoteLook.Found && client.close(30_000))
    }
    try {
        // Not around the calls themselves: what stands in line for a thread can't be cancelled before it has one.
        soon { goesOn.await() }
    } finally {
        release.countDown()
    }
    app.forEach { it.join() }
}

private suspend fun World.oneBoundIsChangedAlone() {
    val client = open { limits(parallelUploads = 4, parallelParts = 4, memoryBytes = 64L * MIB, openSources = 8) }
    check(client.limits == Limits(4, 4, null, 64L * MIB, 8))
    client.setLimits(client.limits.copy(rateBytesPerS = 0))
    check(client.limits == Limits(4, 4, 0, 64L * MIB, 8))
    cloud.rule(STALL)
    val files = List(5) { folder.file("file$it", 64 shl 10) }
    client.startAll(files.map { request(it) })
    eventually("four work") { client.idle().let { it.active == 4 && it.queued == 1 } }
    // All that is left out is as the library has it: two at once.
    val other = open(java.io.File(folder.root, "other")) { limits(parallelUploads = 4) }
    other.setLimits(Limits(rateBytesPerS = 0))
    other.startAll(files.map { request(it, "other/${it.name}") })
    eventually("two work") { other.idle().let { it.active == 2 && it.queued == 3 } }
}
