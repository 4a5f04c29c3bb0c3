package partway.test

import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import partway.ConflictChoice
import partway.FakePartway
import partway.Source
import partway.State
import partway.Target
import partway.UploadCancelledException
import partway.UploadRequest
import partway.WaitReason
import partway.Waiting
import partway.memory

/** An app's own test: without JNA on the class path nothing native can be loaded. */
internal fun main(): Unit = runBlocking {
    val fake = FakePartway()
    val target = Target.Smh("https://example.com", "me", "library", "-", "photo.jpg")
    val upload = fake.start(UploadRequest("photo", target, Source.memory(ByteArray(1))))
    check(fake.requests.getValue(upload.id).key == "photo" && fake.start(fake.requests.getValue(upload.id)) == upload)
    val choices = listOf(ConflictChoice.RENAME, ConflictChoice.OVERWRITE)
    fake.emit(upload.id, State.Waiting(Waiting(WaitReason.CONFLICT, 0, null, null, choices, true, null)))
    check((upload.snapshot!!.state as State.Waiting).waiting.choices == choices)
    upload.answer(ConflictChoice.OVERWRITE)
    check(fake.answers == listOf(ConflictChoice.OVERWRITE) && upload.snapshot?.state == State.Queued)
    upload.cancel()
    throws<UploadCancelledException> { upload.await() }
    check(fake.endings.first().id == upload.id)
    println("faked")
}
