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
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import partway.Category
import partway.Disposition
import partway.ErrorInfo
import partway.FakePartway
import partway.How
import partway.Idle
import partway.Limits
import partway.LivePartway
import partway.LogLevel
import partway.PartwayException
import partway.Phase
import partway.Receipt
import partway.Remedy
import partway.Remote
import partway.Rows
import partway.Select
import partway.Snapshot
import partway.Source
import partway.State
import partway.Target
import partway.Upload
import partway.UploadCancelledException
import partway.UploadRequest
import partway.ended
import partway.fakeSnapshot
import partway.memory
import partway.upload

/** Who hears of endings, and what is left of what was forgotten. */
internal val ENDINGS: Map<String, suspend World.() -> Unit> = linkedMapOf(
    "whoever_waits_has_the_ending_of_what_is_forgotten" to { whoeverWaitsHasTheEnding() },
    "a_slow_collector_has_every_ending_once" to { aSlowCollectorHasEveryEnding() },
    "late_changes_make_no_rows" to { lateChangesMakeNoRows() },
    "an_ending_that_only_comes_late_is_told" to { anEndingThatOnlyComesLate() },
    "a_read_holds_nobody_up" to { aReadHoldsNobodyUp() },
    "who_watches_is_woken_without_a_lock" to { whoWatchesIsWokenWithoutALock() },
    "rows_never_step_back" to { rowsNeverStepBack() },
    "what_is_retried_is_gone_and_told" to { whatIsRetriedIsGone() },
    "what_is_old_leaves_the_rows" to { whatIsOldLeavesTheRows() },
    "a_fake_tells_endings_alike" to { aFakeTellsEndingsAlike() },
    "a_fake_begins_again_and_rests" to { aFakeBeginsAgainAndRests() },
    "a_time_out_within_cancels_no_upload" to { aTimeOutWithinCancelsNoUpload() },
    "a_close_keeps_nobody_else_waiting" to { aCloseKeepsNobodyElseWaiting() },
)

private suspend fun World.whoeverWaitsHasTheEnding() = coroutineScope {
    val client = open()
    val file = folder.file("small", 64 shl 10)
    repeat(5) { round ->
        val uploads = client.startAll(List(10) { request(file, "$round/$it") }).map { it.getOrThrow() }
        val waiting = uploads.map { async(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { it.await() } }
        soon { client.runUntilIdle() }
        val stored = client.list(Select.All).map(Snapshot::id)
        check(client.forget(Select.All) == 10 && stored.sorted() == uploads.map(Upload::id).sorted())
        check(client.uploads.value.isEmpty() && client.list(Select.All).isEmpty())
        check(soon { waiting.awaitAll() }.size == 10)
    }
    client.leftNothing()
}

private suspend fun World.aSlowCollectorHasEveryEnding() = coroutineScope {
    val client = open()
    val file = folder.file("small", 64 shl 10)
    val gone = CompletableDeferred<Unit>()
    val (quick, slow) = List(2) { ConcurrentLinkedQueue<String>() }
    val collectors = listOf(
        launch(start = CoroutineStart.UNDISPATCHED) {
            client.endings.collect {
                quick += it.id
                check(client.forget(Select.One(it.id)) == 1) { "${it.id} was told before, or too early" }
            }
        },
        launch(start = CoroutineStart.UNDISPATCHED) {
            client.endings.collect {
                slow += it.id
                gone.await()
            }
        },
    )
    val uploads = client.startAll(List(20) { request(file, "file$it") }).map { it.getOrThrow().id }.sorted()
    soon { client.runUntilIdle() }
    eventually("all are forgotten") { quick.size >= 20 && client.uploads.value.isEmpty() }
    client.leftNothing()
    check(slow.size == 1)
    gone.complete(Unit)
    eventually("the slow one has all") { slow.size >= 20 }
    // To the last line: nothing is told again behind it.
    check(client.close(30_000))
    soon { collectors.forEach { it.join() } }
    check(quick.sorted() == uploads && slow.sorted() == uploads) { "${quick.size}, ${slow.size}" }
}

/** What an upload's life left in the client, once it was told. */
private suspend fun partway.PartwayClient.leftNothing() {
    val rows = (this as LivePartway).rows
    eventually("it was told that they are forgotten") { rows.departing == 0 }
    check(uploads.value.isEmpty()) { "${uploads.value.keys} came back" }
}

private val RECEIPT = Receipt("a", null, null, 1, null, null, null, false, false, null, null)
private fun row(revision: Long, state: State) = fakeSnapshot("a", state = state).copy(revision = revision)
private val ACTIVE = State.Active(Phase.COMPLETING)
private val COMPLETED = State.Completed(RECEIPT)

private suspend fun lateChangesMakeNoRows() = coroutineScope {
    val rows = Rows()
    val told = ConcurrentLinkedQueue<String>()
    val collector = launch(Dispatchers.Unconfined) { rows.endings().collect { told += it.id } }
    rows.show(listOf(row(1, ACTIVE)))
    val waiting = async(Dispatchers.Unconfined) { rows.awaitEnd("a") }
    val seen = async(Dispatchers.Unconfined) { rows.snapshots("a").toList().map { it.revision } }
    // A call forgets it: it sees the ending, which the listener has not told yet.
    rows.show(listOf(row(3, COMPLETED)))
    rows.drop(listOf("a"))
    check(rows.uploads.value.isEmpty() && rows.departing == 1)
    check(waiting.await().state == COMPLETED && seen.await() == listOf(1L, 3L))
    rows.show(listOf(row(2, ACTIVE), row(3, COMPLETED), row(4, COMPLETED)))
    check(rows.uploads.value.isEmpty()) { "it came back" }
    rows.forgotten(listOf("a"))
    check(rows.uploads.value.isEmpty() && rows.departing == 0 && told.toList() == listOf("a")) { "$told" }
    // Told first, before the call is back.
    rows.show(listOf(fakeSnapshot("b", state = COMPLETED)))
    rows.forgotten(listOf("b"))
    rows.drop(listOf("b"))
    check(rows.departing == 0 && told.toList() == listOf("a", "b"))
    check(throws<PartwayException> { rows.awaitEnd("a") }.info.name == "unknown_upload")
    collector.cancelAndJoin()
    check(rows.watching == 0)
}

private suspend fun anEndingThatOnlyComesLate() = coroutineScope {
    val rows = Rows()
    rows.show(listOf(row(1, ACTIVE)))
    val waiting = async(Dispatchers.Unconfined) { rows.awaitEnd("a") }
    val endings = async(Dispatchers.Unconfined) { rows.endings().take(1).toList() }
    // It ended and was forgotten within the call: nobody has seen the ending yet.
    rows.drop(listOf("a"))
    val late = async(Dispatchers.Unconfined) { rows.awaitEnd("a") }
    check(rows.uploads.value.isEmpty() && !waiting.isCompleted && !late.isCompleted)
    rows.show(listOf(row(2, COMPLETED)))
    check(listOf(waiting, late).awaitAll().all { it.state == COMPLETED } && endings.await().single().id == "a")
    rows.forgotten(listOf("a"))
    check(rows.uploads.value.isEmpty() && rows.departing == 0 && rows.watching == 0)
}

/** On another thread, with an end to it: a lock that is held would be waited for. */
private fun elsewhere(call: () -> Unit) {
    val thread = kotlin.concurrent.thread(isDaemon = true, block = call)
    thread.join(10_000)
    check(!thread.isAlive) { "it waits for a lock" }
}

private fun aReadHoldsNobodyUp() {
    val rows = Rows()
    val show = { revision: Long -> rows.show(listOf(row(revision, ACTIVE))) }
    // Told meanwhile: what was read is older, and makes no row.
    rows.read {
        elsewhere {
            show(1)
            rows.forgotten(listOf("a"))
        }
        listOf(row(1, ACTIVE), fakeSnapshot("b", state = ACTIVE))
    }
    check(rows.uploads.value.keys == setOf("b")) { "${rows.uploads.value.keys}" }
    // Ids are not used again; what is read later is not concerned.
    rows.read { listOf(row(2, ACTIVE)) }
    check(rows.uploads.value.keys == setOf("a", "b"))
    throws<IllegalStateException> { rows.read { error("closed") } }
    rows.forgotten(listOf("a"))
    rows.finish(emptyList())
    rows.read { error("nothing is read of a client that is closed") }
}

private suspend fun whoWatchesIsWokenWithoutALock() = coroutineScope {
    val rows = Rows()
    val seen = ConcurrentLinkedQueue<Set<String>>()
    // Where it is woken, and it waits for somebody who comes here as well.
    val (all, one) = launch(Dispatchers.Unconfined) {
        rows.uploads.collect {
            seen += it.keys
            if ("a" in it && "late" !in it) elsewhere { rows.show(listOf(fakeSnapshot("late"))) }
        }
    } to launch(Dispatchers.Unconfined) {
        rows.endings().collect { ended -> elsewhere { rows.forgotten(listOf(ended.id)) } }
    }
    rows.show(listOf(row(1, ACTIVE)))
    check(seen.toList() == listOf(emptySet(), setOf("a"), setOf("a", "late"))) { "$seen" }
    rows.show(listOf(row(2, COMPLETED)))
    check(rows.uploads.value.keys == setOf("late"))
    all.cancelAndJoin()
    one.cancelAndJoin()
}

private suspend fun rowsNeverStepBack() = coroutineScope {
    val rows = Rows()
    val (last, stepped) = java.util.concurrent.atomic.AtomicLong() to AtomicBoolean()
    val collector = launch(Dispatchers.Unconfined) {
        rows.uploads.collect { all ->
            val revisions = all.values.sumOf { it.revision }
            if (last.getAndSet(revisions) > revisions) stepped.set(true)
        }
    }
    List(4) { id ->
        async(Dispatchers.Default) {
            for (revision in 1L..5_000) {
                rows.show(listOf(fakeSnapshot("$id", state = ACTIVE).copy(revision = revision)))
                check(rows.uploads.value["$id"]?.revision == revision) { "what a call did is there when it returns" }
            }
        }
    }.awaitAll()
    check(!stepped.get() && rows.uploads.value.values.all { it.revision == 5_000L })
    check(rows.uploads.value == rows.uploads.value.toMap() && rows.uploads.value.toMap() == rows.uploads.value)
    collector.cancelAndJoin()
}

private suspend fun World.whatIsRetriedIsGone() = coroutineScope {
    val client = open()
    val file = folder.file("film.mp4", 9 * MIB)
    cloud.rule(""""step":"part","how":"stall","after_bytes":1000""")
    val upload = client.start(request(file))
    upload.until { it.progress.partsTotal > 0 }
    val waiting = async(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { runCatching { upload.await() }.exceptionOrNull() }
    val ended = async(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { client.endings.take(2).toList().map(Snapshot::id) }
    upload.cancel()
    soon { client.runUntilIdle() }
    cloud.clearRules()
    val again = upload.retry()
    check(upload.id !in client.uploads.value && upload.snapshot == null)
    check(soon { waiting.await() } is UploadCancelledException)
    soon { again.await() }
    check(soon { ended.await() } == listOf(upload.id, again.id))
    check(again.forget())
    client.leftNothing()
}

private suspend fun World.whatIsOldLeavesTheRows() {
    val client = open { endedKeptMs = 200 }
    val upload = client.start(request(folder.file("small", 64 shl 10)))
    soon { upload.await() }
    eventually("it is too old") { client.uploads.value.isEmpty() }
    check(upload.snapshot == null && client.list(Select.All).isEmpty() && soon { upload.snapshots.toList() }.isEmpty())
    client.leftNothing()
}

private suspend fun aFakeTellsEndingsAlike() = coroutineScope {
    val fake = FakePartway()
    fake.emit(fakeSnapshot("before", state = COMPLETED))
    val waiting = fake.upload("now").let { upload ->
        fake.emit(fakeSnapshot("now"))
        async(start = CoroutineStart.UNDISPATCHED) { upload.await() }
    }
    val seen = List(2) { async(start = CoroutineStart.UNDISPATCHED) { fake.endings.toList().map(Snapshot::id) } }
    fake.emit("now", COMPLETED)
    check(fake.forget(Select.All) == 2 && fake.uploads.value.isEmpty())
    check(waiting.await() == RECEIPT)
    // A collector that calls back where it is called: as test dispatchers do.
    val forgetting = launch(Dispatchers.Unconfined) { fake.endings.collect { fake.forget(Select.One(it.id)) } }
    fake.emit(fakeSnapshot("later", state = State.Cancelled(Remote.ABORTED)))
    check(fake.uploads.value.isEmpty())
    val idle = async(start = CoroutineStart.UNDISPATCHED) { fake.emit(fakeSnapshot("busy")).let { fake.runUntilIdle() } }
    idle.cancelAndJoin()
    check(fake.held) { "who is cancelled holds" }
    fake.close()
    seen.forEach { check(it.await() == listOf("before", "now", "later")) }
    forgetting.join()
    check(throws<PartwayException> { fake.upload("busy").await() }.info.name == "closed")
    check(throws<PartwayException> { fake.upload("nobody").await() }.info.name == "closed")
    check(fake.pause(Select.All) == 0 && fake.list(Select.All).single() == fake.snapshot("busy") && fake.find("busy") == fake.snapshot("busy"))
}

private suspend fun aFakeBeginsAgainAndRests() = coroutineScope {
    val fake = FakePartway()
    val request = UploadRequest("photo", Target.Smh("https://example.com", "me", "library", "-", "photo.jpg"), Source.memory(ByteArray(1)), group = "camera")
    val first = fake.start(request)
    check(first.how == How.New && fake.start(request).how == How.AlreadyThere)
    val rests = ConcurrentLinkedQueue<Idle>()
    val watching = launch(start = CoroutineStart.UNDISPATCHED) { fake.idles.collect { rests += it } }
    val idle = async(start = CoroutineStart.UNDISPATCHED) { fake.awaitIdle() }
    check(!fake.awaitIdle(1).atRest && rests.isEmpty() && !fake.held)
    fake.emit(first.id, State.Failed(ErrorInfo(4005, "quota_exceeded", Category.SERVICE, Disposition.ASK_USER, Remedy.FREE_CLOUD_SPACE, "full")))
    check(idle.await().atRest)
    // As the real one: another upload, in the place of the one that failed.
    val second = fake.start(request)
    check(second.how == How.Continued(first.id) && second.id != first.id && fake.uploads.value.keys == setOf(second.id)) { "${second.how}" }
    check(fake.requests.keys == setOf(first.id, second.id) && second.snapshot!!.group == "camera")
    second.cancel()
    val third = second.retry()
    check(third.how == How.Continued(second.id) && fake.uploads.value.keys == setOf(third.id) && third.snapshot!!.state == State.Queued)
    fake.emit(third.id, COMPLETED)
    check(fake.start(request).how == How.AlreadyThere && throws<PartwayException> { third.retry() }.info.name == "wrong_state")
    eventually("the rest is told") { rests.isNotEmpty() && rests.all { it.atRest } }
    fake.setLimits(fake.limits.copy(parallelParts = 1))
    check(fake.limits == Limits(parallelParts = 1))
    fake.close()
    watching.join()
    check(throws<PartwayException> { fake.awaitIdle() }.info.name == "closed")
}

private suspend fun aTimeOutWithinCancelsNoUpload() {
    val fake = FakePartway()
    fake.emit(fakeSnapshot("a"))
    val upload = fake.upload("a")
    throws<TimeoutCancellationException> { upload.cancelOnCancellation { withTimeout(1.milliseconds) { await() } } }
    check(upload.snapshot?.state == State.Queued) { "who called lives on" }
    throws<TimeoutCancellationException> { withTimeout(1.milliseconds) { upload.cancelOnCancellation { await() } } }
    check(upload.snapshot?.state is State.Cancelled)
}

private suspend fun World.aCloseKeepsNobodyElseWaiting() = coroutineScope {
    val (armed, within, release) = Triple(AtomicBoolean(), AtomicInteger(), CountDownLatch(1))
    val client = open {
        log(LogLevel.DEBUG) { _, _, _ ->
            if (armed.get()) {
                within.incrementAndGet()
                release.await()
            }
        }
    }
    val upload = client.start(request(folder.file("small", 64 shl 10)))
    soon { upload.await() }
    armed.set(true)
    client.start(request(folder.file("other", 64 shl 10)))
    eventually("the log is in a line that does not end") { within.get() > 0 }
    val closing = async(Dispatchers.IO) { client.close(600_000) }
    eventually("it is closing") { (client as LivePartway).isClosing }
    // Another directory is not concerned.
    soon { open(java.io.File(folder.root, "another")).close() }
    val reopened = async(Dispatchers.IO) { open() }
    soon { client.close() }
    val next = soon { reopened.await() }
    check(next !== client && next.find("small")!!.state.ended)
    release.countDown()
    soon { closing.await() }
}
