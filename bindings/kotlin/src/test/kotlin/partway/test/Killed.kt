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

/** Another JVM with our own class path: [without] what has this in its name, with [modules] as such, in a [folder]. */
internal fun child(main: String, vararg args: String, without: String? = null, modules: List<String> = emptyList(), folder: File? = null): Process {
    val java = File(System.getProperty("java.home"), "bin/java").path
    val (named, unnamed) = System.getProperty("java.class.path").split(File.pathSeparator).map(::File).filter { without == null || without !in it.path }
        .partition { it.name in modules }
    val paths = { files: List<File> -> files.joinToString(File.pathSeparator) { it.absolutePath } }
    val modular = if (named.isEmpty()) emptyList() else listOf("--module-path", paths(named), "--add-modules", "ALL-MODULE-PATH")
    val properties = listOf("jna.library.path", "partway.command").mapNotNull { name -> System.getProperty(name)?.let { "-D$name=${File(it).absolutePath}" } }
    return ProcessBuilder(listOf(java, "-Xshare:auto", "-XX:TieredStopAtLevel=1") + properties + modular + listOf("-cp", paths(unnamed), main) + args)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .directory(folder)
        .start()
}
