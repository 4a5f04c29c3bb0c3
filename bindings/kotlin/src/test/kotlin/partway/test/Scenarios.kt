package partway.test

import java.io.File
import java.util.concurrent.ConcurrentLinkedQueue
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import partway.Conflict
import partway.ConflictChoice
import partway.Credential
import partway.How
import partway.InstantMode
import partway.Limits
import partway.PartwayException
import partway.Remedy
import partway.Remote
import partway.Secret
import partway.Select
import partway.Source
import partway.SourceReader
import partway.SourceWhat
import partway.StartResult
import partway.State
import partway.UploadCancelledException
import partway.UploadRequest
import partway.WaitReason
import partway.Why
import partway.ended
import partway.file
import partway.later
import partway.memory
import partway.reader
import partway.upload
import partway.uploads

/** The scenarios that every language of this library passes: tests/scenarios.txt. */
internal val SCENARIOS: Map<String, suspend World.() -> Unit> = linkedMapOf(
    "upload" to { upload() },
    "instant" to { instant() },
    "pause_resume_cancel" to { pauseResumeCancel() },
    "kill_and_restore" to { killAndRestore() },
    "lost_token" to { lostToken() },
    "conflict_answered" to { conflictAnswered() },
    "source_given_again" to { sourceGivenAgain() },
    "hold_and_go" to { holdAndGo() },
    "error_mapping" to { errorMapping() },
    "exactly_one_ending" to { exactlyOneEnding() },
    "fifty_parallel_uploads" to { fiftyParallelUploads() },
    "listener_that_throws" to { listenerThatThrows() },
    "client_closed_early" to { clientClosedEarly() },
)

private const val HOLD_AT_MOST_NS = 1_000_000_000
private const val STALL = """"step":"part","how":"stall","after_bytes":1000"""

private suspend fun World.upload() {
    val client = open()
    val file = folder.file("photo.jpg", 9 * MIB + 5)
    val upload = client.start(request(file, "Camera/photo.jpg").copy(group = "camera", tags = mapOf("thumb" to "7")))
    check(upload.how == How.New)
    val twin = client.start(request(file, "Camera/photo.jpg"))
    check(twin == upload && twin.how == How.AlreadyThere) { "the same key is the same upload" }
    val receipt = soon { upload.await() }
    check(receipt.name == "photo.jpg" && receipt.sizeBytes == 9L * MIB + 5) { "$receipt" }
    checkStored("Camera/photo.jpg", file)
    val end = upload.snapshot!!
    check(end.progress.bytesShown == end.progress.bytesTotal && end.progress.partsDone == 3) { "${end.progress}" }
    check(end.tags == mapOf("thumb" to "7") && end.key == "Camera/photo.jpg")
    check(client.uploads("camera").first().map { it.id } == listOf(upload.id))
    check(upload.forget())
    check(client.uploads.value.isEmpty() && client.find("Camera/photo.jpg") == null)
    check(!upload.forget()) { "forgotten once" }
    // A screen that comes back.
    check(upload.snapshot == null && upload.snapshots.toList().isEmpty())
    check(throws<PartwayException> { upload.await() }.info.name == "unknown_upload")
    // The other kinds of sources.
    val bytes = content(MIB, 3)
    val memory = client.start(UploadRequest("memory", target("memory"), Source.memory(bytes)))
    soon { memory.await() }
    val reader = object : SourceReader {
        override fun lengthBytes() = bytes.size.toLong()
        override fun readAt(offset: Long, bytesMax: Int) = bytes.copyOfRange(offset.toInt(), minOf(bytes.size, offset.toInt() + minOf(bytesMax, 10_000)))
        override fun concurrent() = true
    }
    soon { client.start(UploadRequest("reader", target("reader"), Source.reader(reader))).await() }
    check(stored("memory") != null && stored("memory") == stored("reader"))
}

private suspend fun World.instant() {
    val client = open()
    val file = folder.file("film.mp4", 3 * MIB)
    soon { client.start(request(file, "a").copy(instant = InstantMode.OFF)).await() }
    val again = client.start(request(file, "b").copy(instant = InstantMode.ALWAYS))
    check(soon { again.await() }.instant)
    check(again.snapshot!!.progress.bytesSent == 0L) { "${again.snapshot}" }
    checkStored("b", file)
}

private suspend fun World.pauseResumeCancel() = coroutineScope {
    val client = open()
    cloud.rule(STALL)
    val file = folder.file("film.mp4", 9 * MIB)
    val upload = client.start(request(file))
    upload.until { it.state is State.Active && it.progress.partsTotal > 0 }
    upload.pause()
    upload.until { it.state == State.Paused }
    // A wait that is cancelled cancels nothing.
    val waiting = async(start = CoroutineStart.UNDISPATCHED) { upload.await() }
    waiting.cancelAndJoin()
    check(upload.snapshot?.state == State.Paused)
    cloud.clearRules()
    upload.resume()
    soon { upload.await() }
    checkStored("film.mp4", file)

    cloud.rule(STALL)
    val other = client.start(request(file, "other"))
    other.until { it.progress.partsTotal > 0 }
    other.cancel()
    val cancelled = throws<UploadCancelledException> { soon { other.await() } }
    check(cancelled.remote == Remote.ABORTED || cancelled.remote == Remote.NOTHING_THERE) { "${cancelled.remote}" }
    check((cancelled as Throwable) !is CancellationException)
    check(stored("other") == null)

    // Unless it was asked for.
    val third = client.start(request(file, "third"))
    val bound = launch(Dispatchers.IO) { third.cancelOnCancellation { await() } }
    third.until { it.progress.partsTotal > 0 }
    bound.cancelAndJoin()
    check(third.until { it.state.ended }.state is State.Cancelled)
}

private suspend fun World.killAndRestore() {
    val file = folder.file("film.mp4", 40 * MIB)
    // Two parts are taken, the others hang.
    cloud.rule(""""step":"part","how":"stall","after_bytes":1000,"after":2""")
    val child = child("partway.test.KilledKt", folder.state.path, cloud.api, cloud.library, cloud.token, file.path)
    val acknowledged = child.inputReader().useLines { lines -> lines.first { it.startsWith("acknowledged 2") } }
    check(acknowledged == "acknowledged 2")
    child.destroyForcibly().waitFor()
    cloud.clearRules()
    val before = cloud.steps("part")
    val client = open()
    val upload = client.upload(client.uploads.value.keys.single())
    soon { upload.await() }
    checkStored("film.mp4", file)
    check(cloud.steps("part") - before == 8) { "${cloud.steps("part") - before} of 10 parts after 2 were there" }
    check(cloud.steps("begin") == 1)
}

private suspend fun World.lostToken() {
    var token: String? = cloud.token
    val asked = ConcurrentLinkedQueue<Pair<String, Why>>()
    val client = open {
        token { account, why ->
            asked += account to why
            token
        }
    }
    cloud.tokens(""""only":["second"]""")
    val file = folder.file("photo.jpg", 5 * MIB)
    token = "second"
    soon { client.start(request(file, "a")).await() }
    check(asked.toList() == listOf("me" to Why.FIRST)) { "$asked" }
    // Refused later: asked for again, once.
    cloud.tokens(""""only":["third"]""")
    token = "third"
    soon { client.start(request(file, "b")).await() }
    check(asked.last() == "me" to Why.REFUSED && asked.size == 2) { "$asked" }
    // Nobody has one: a named wait, until one is set.
    cloud.tokens(""""only":["fourth"]""")
    token = null
    val upload = client.start(request(file, "c"))
    val waiting = upload.untilWaiting(WaitReason.CREDENTIAL).waiting
    check(waiting.error == null || waiting.error.remedy == Remedy.SIGN_IN_AGAIN) { "${waiting.error}" }
    client.setCredential("me", Credential.Token(Secret("fourth")))
    soon { upload.await() }
    checkStored("c", file)
}

private suspend fun World.conflictAnswered() {
    val client = open()
    val old = folder.file("old", 2 * MIB)
    val new = folder.file("new", 5 * MIB)
    soon { client.start(UploadRequest("old", target("same"), Source.file(old))).await() }
    val upload = client.start(UploadRequest("new", target("same"), Source.file(new), conflict = Conflict.Ask))
    val waiting = upload.untilWaiting(WaitReason.CONFLICT).waiting
    check(ConflictChoice.OVERWRITE in waiting.choices && ConflictChoice.RENAME in waiting.choices) { "${waiting.choices}" }
    val sent = cloud.steps("part")
    upload.answer(ConflictChoice.OVERWRITE)
    val receipt = soon { upload.await() }
    check(receipt.overwritten)
    check(cloud.steps("part") == sent) { "nothing is sent again" }
    checkStored("same", new)
}

private suspend fun World.sourceGivenAgain() {
    val file = folder.file("photo.jpg", 5 * MIB)
    val gone = CompletableDeferred<Unit>()
    val client = open {
        sources { ask ->
            if (ask.key() == "opened") Source.file(File(String(ask.token()))) else null.also { gone.complete(Unit) }
        }
    }
    soon { client.start(UploadRequest("opened", target("opened"), Source.later(file.path.toByteArray()))).await() }
    checkStored("opened", file)

    val upload = client.start(UploadRequest("gone", target("gone"), Source.later("no such thing".toByteArray())))
    soon { gone.await() }
    upload.untilWaiting(WaitReason.SOURCE)
    upload.attachSource(Source.file(file))
    soon { upload.await() }
    checkStored("gone", file)
    check(client.close(30_000))

    // Bytes in memory do not outlive their client: given again to the next one, what was proven is not sent again.
    cloud.rule(""""step":"part","how":"stall","after_bytes":1000,"after":1""")
    val memory = Source.memory(file.readBytes())
    val first = open()
    val kept = first.start(request(file, "kept").copy(source = memory))
    kept.until { it.progress.partsDone == 1 }
    first.close(30_000)
    cloud.clearRules()
    val sent = cloud.steps("part")
    val again = open().upload(kept.id)
    check(again.until { (it.state as? State.Waiting)?.waiting?.reason == WaitReason.SOURCE }.progress.partsDone == 1)
    again.attachSource(memory)
    soon { again.await() }
    checkStored("kept", file)
    check(cloud.steps("part") - sent == 1) { "${cloud.steps("part") - sent} parts, one of two was there" }
}

private suspend fun World.holdAndGo() = coroutineScope {
    val client = open()
    cloud.rule(STALL)
    val file = folder.file("film.mp4", 9 * MIB)
    val upload = client.start(request(file))
    upload.until { it.progress.partsTotal > 0 }
    check(!client.hold(0).atRest) { "no time is too short for what is being sent" }
    val began = System.nanoTime()
    val idle = client.hold(30_000)
    check(idle.atRest && idle.active == 0) { "$idle" }
    check(System.nanoTime() - began < HOLD_AT_MOST_NS) { "held after ${(System.nanoTime() - began) / 1_000_000} ms" }
    upload.untilWaiting(WaitReason.HELD)
    cloud.clearRules()
    val asked = cloud.log().size
    val other = client.start(request(file, "other"))
    check(client.hold(30_000).let { it.atRest && it.active == 0 } && cloud.log().size == asked) { "nothing is asked while held" }
    check(!other.snapshot!!.state.ended)
    check(soon { client.runUntilIdle() }.let { it.atRest && it.active == 0 })
    soon { upload.await() }
    soon { other.await() }
    checkStored("film.mp4", file)

    // A background job that is stopped holds first.
    cloud.rule(STALL)
    val third = client.start(request(file, "third"))
    val job = launch(Dispatchers.IO) { client.runUntilIdle() }
    third.until { it.progress.partsTotal > 0 }
    job.cancelAndJoin()
    check(client.idle().atRest)
    third.untilWaiting(WaitReason.HELD)
}

private suspend fun World.errorMapping() {
    val client = open()
    val file = folder.file("film.mp4", 5 * MIB)
    val refused = throws<PartwayException> { client.start(request(file).copy(partSizeBytes = 1)) }
    check(refused.info.code == 1002 && refused.info.name == "part_size_unusable") { "${refused.info}" }
    check(refused.message!!.startsWith("PW-1002 part_size_unusable: ")) { "${refused.message}" }
    check(throws<PartwayException> { client.start(request(file).copy(partSizeBytes = -1)) }.info.code == 1001)
    check(throws<PartwayException> { client.attachSource("nobody", Source.file(file)) }.info.code == 1004)
    check(throws<PartwayException> { client.upload("nobody").await() }.info.code == 1004)
    check(client.upload("nobody").let { it.snapshot == null && it.explain() == null })
    val both = client.startAll(listOf(request(file).copy(partSizeBytes = 1), request(file, "fine"), request(file).copy(parallelParts = -1)))
    check((both[0].exceptionOrNull() as PartwayException).info.code == 1002)
    check((both[2].exceptionOrNull() as PartwayException).info.code == 1001)
    soon { both[1].getOrThrow().await() }
    // What a person can mend is a wait that names it.
    cloud.rule(""""step":"begin","how":"status","status":403,"code":"QuotaLimitReached"""")
    val full = client.start(request(file, "full"))
    val error = full.until { (it.state as? State.Waiting)?.waiting?.error != null }.let { (it.state as State.Waiting).waiting.error!! }
    check(error.code == 4005 && error.remedy == Remedy.FREE_CLOUD_SPACE && error.serviceCode == "QuotaLimitReached" && error.httpStatus == 403) { "$error" }
    check(full.explain()!!.state is State.Waiting)
    full.cancel()
    // What nobody can mend ends it.
    cloud.clearRules()
    cloud.rule(""""step":"begin","how":"status","status":400,"code":"ParamInvalid"""")
    val failed = throws<PartwayException> { soon { client.start(request(file, "failed")).await() } }
    check(failed.info.code in 4000..4999 && failed.info.serviceCode == "ParamInvalid") { "${failed.info}" }
}

private suspend fun World.exactlyOneEnding() = coroutineScope {
    val client = open()
    val file = folder.file("small", MIB)
    val told = List(2) { ConcurrentLinkedQueue<String>() }
    val collectors = told.map { ids -> launch { client.endings.collect { ids += it.id } } }
    cloud.rule(""""step":"begin","how":"status","status":400,"code":"ParamInvalid","path_contains":"bad"""")
    val uploads = client.startAll(List(20) { request(file, if (it % 5 == 0) "bad$it" else "fine$it") }).map { it.getOrThrow() }
    uploads.filterIndexed { at, _ -> at % 4 == 1 }.forEach { it.cancel() }
    uploads.forEach { it.until { snapshot -> snapshot.state.ended } }
    eventually("both collectors heard of all") { told.all { it.size >= uploads.size } }
    // Cancels and pauses that come too late change nothing.
    check(client.cancel(Select.All) == 0 && client.pause(Select.All) == 0)
    client.close(30_000)
    // Kept until it is taken, and told again.
    val next = open()
    val again = ConcurrentLinkedQueue<String>()
    val collector = launch { next.endings.collect { again += it.id } }
    eventually("they are told again") { again.size >= uploads.size }
    check(next.forget(Select.All) == uploads.size && next.uploads.value.isEmpty())
    next.close(30_000)
    check(open().uploads.value.isEmpty())
    (collectors + collector).forEach { it.cancelAndJoin() }
    (told + listOf(again)).forEach { ids -> check(ids.toSet() == uploads.map { it.id }.toSet() && ids.size == uploads.size) { "${ids.size}" } }
    oneEndingIsTold(file)
}

/** The same below the rows, which drop a second one. */
private suspend fun World.oneEndingIsTold(file: File) {
    val state = File(folder.root, "raw")
    cloud.rule(""""step":"part","how":"stall","after_bytes":1000,"path_contains":"gone"""")
    val first = NotingHost(cloud.token)
    var native = first.open(state)
    native.setLimits(Limits(parallelUploads = 9, parallelParts = 9))
    val requests = List(9) { request(file, "${listOf("fine", "bad", "gone")[it % 3]}-raw$it").copy(group = if (it % 3 == 2) "gone" else null) }
    val ids = native.startAll(requests).map { (it as StartResult.Started).started.id }.sorted()
    val gone = native.list(Select.Group("gone")).map { it.id }
    (ids - gone.toSet()).forEach { check(native.wait(it, 60_000).state.ended) }
    check(native.cancel(Select.Group("gone")) == 3)
    val ends = ids.associateWith { native.wait(it, 60_000).state }
    check(ends.values.groupingBy { it.javaClass }.eachCount().values.toList() == listOf(3, 3, 3)) { "$ends" }
    eventually("all are told") { first.endings.size >= 9 }
    check(native.cancel(Select.All) == 0 && native.pause(Select.All) == 0 && native.resume(Select.All) == 0)
    check(native.shutdown(30_000))
    native.destroy()
    check(first.endings == ids && ids.all { first.of(it).last() == ends[it] }) { "each once, and nothing of it follows: ${first.endings}" }

    // The next client tells each once more, and then that it is forgotten.
    val next = NotingHost(cloud.token)
    native = next.open(state)
    eventually("they are told again") { next.endings.size >= 9 }
    check(next.forgotten.isEmpty() && native.forget(Select.All) == 9)
    eventually("they are forgotten") { next.forgotten.size >= 9 }
    check(native.shutdown(30_000))
    native.destroy()
    check(ids.all { next.of(it) == listOf(ends[it], null) }) { "the ending, then that it is forgotten: ${ids.map(next::of)}" }
}

private suspend fun World.fiftyParallelUploads() {
    val client = open { limits(parallelUploads = 50, parallelParts = 50) }
    val files = List(50) { folder.file("file$it", 64 shl 10) }
    cloud.rule(STALL)
    val uploads = client.startAll(files.map { request(it) }).map { it.getOrThrow() }
    eventually("fifty parts are sent at once") { cloud.steps("part") == 50 }
    check(client.uploads.value.values.all { it.state is State.Active } && client.idle().active == 50) { "${client.idle()}" }
    cloud.clearRules()
    check(client.hold(30_000).atRest)
    client.go()
    val receipts = soon { coroutineScope { uploads.map { async { it.await() } }.map { it.await() } } }
    check(receipts.map { it.name }.toSet() == files.map { it.name }.toSet())
    files.forEach { checkStored(it.name, it) }
}

private suspend fun World.listenerThatThrows() {
    // The raw listener: what the sugar does can't throw.
    val file = folder.file("photo.jpg", 5 * MIB)
    val raw = RawHost(cloud.token)
    val native = raw.open(folder.state)
    val started = native.start(request(file, "a"))
    val end = native.wait(started.id, 60_000)
    check(end.state is State.Completed) { "${end.state}" }
    eventually("both kinds were thrown") { raw.threw.get() >= 2 }
    native.shutdown(30_000)
    native.destroy()
    // Lambdas that throw: named waits, mended as any other.
    val client = open {
        token { _, _ -> throw OutOfMemoryError("not really") }
        sources { throw IllegalStateException("no") }
    }
    val upload = client.start(request(file, "b"))
    upload.untilWaiting(WaitReason.CREDENTIAL)
    client.setCredential("me", Credential.Token(Secret(cloud.token)))
    soon { upload.await() }
    val reader = object : SourceReader {
        override fun lengthBytes() = 5L * MIB
        override fun readAt(offset: Long, bytesMax: Int): ByteArray = throw NotImplementedError("no")
        override fun concurrent() = true
    }
    val unreadable = client.start(UploadRequest("c", target("c"), Source.reader(reader)))
    val waiting = unreadable.untilWaiting(WaitReason.SOURCE).waiting
    check("NotImplementedError" in waiting.error!!.detail) { "${waiting.error}" }
    unreadable.attachSource(Source(SourceWhat.Path(file.path)))
    soon { unreadable.await() }
    checkStored("c", file)
}

private suspend fun World.clientClosedEarly() = coroutineScope {
    cloud.rule(STALL)
    val file = folder.file("film.mp4", 9 * MIB)
    val client = open()
    val upload = client.start(request(file))
    upload.until { it.progress.partsTotal > 0 }
    val waiting = async(Dispatchers.IO, CoroutineStart.UNDISPATCHED) { runCatching { upload.await() } }
    client.close()
    client.close()
    check((soon { waiting.await() }.exceptionOrNull() as PartwayException).info.name == "closed")
    // Whatever is called now does no harm, and says so where it could be missed.
    upload.pause()
    client.go()
    check(throws<PartwayException> { client.start(request(file, "late")) }.info.name == "closed")
    check(throws<PartwayException> { upload.attachSource(Source.file(file)) }.info.name == "closed")
    client.setCredential("me", Credential.Token(Secret("late")))
    // What looks answers as it was last, all of it.
    val last = client.uploads.value.values.single()
    check(client.list(Select.All) == listOf(last) && client.find("film.mp4") == last && upload.snapshot == last && upload.snapshots.toList() == listOf(last))
    check(client.list(Select.Key("other")).isEmpty() && client.endings.toList().isEmpty())
    check(!upload.snapshot!!.state.ended)
    cloud.clearRules()
    soon { open().upload(upload.id).await() }
    checkStored("film.mp4", file)
}
