package partway.test

import java.io.File
import kotlinx.coroutines.runBlocking
import partway.Partway
import partway.SmhMode
import partway.Source
import partway.Target
import partway.UploadRequest
import partway.file

/** A process that uploads, says how many parts are proven, and is killed. */
internal fun main(args: Array<String>): Unit = runBlocking {
    val (state, api, library, token, path) = args
    val client = Partway.open(File(state)) {
        token { _, _ -> token }
        limits(parallelParts = 4)
    }
    val target = Target.Smh(api, "me", library, "-", "film.mp4", mode = SmhMode.MULTIPART)
    val upload = client.start(UploadRequest("film.mp4", target, Source.file(File(path))))
    var said = -1
    upload.snapshots.collect {
        if (it.progress.partsDone > said) {
            said = it.progress.partsDone
            println("acknowledged $said")
        }
    }
}

/** Another JVM with our own class path. */
internal fun child(main: String, vararg args: String, without: String? = null): Process {
    val java = File(System.getProperty("java.home"), "bin/java").path
    val path = System.getProperty("java.class.path").split(File.pathSeparator).filter { without == null || without !in it }
    val properties = listOf("jna.library.path", "partway.command").mapNotNull { name -> System.getProperty(name)?.let { "-D$name=$it" } }
    return ProcessBuilder(listOf(java, "-Xshare:auto", "-XX:TieredStopAtLevel=1") + properties + listOf("-cp", path.joinToString(File.pathSeparator), main) + args)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()
}
