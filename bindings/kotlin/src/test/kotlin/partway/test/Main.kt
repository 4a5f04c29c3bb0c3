package partway.test

import kotlin.system.exitProcess
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import partway.JavaHttpTransport
import partway.Transport

/** Runs the tests whose names hold one of the arguments, all of them without any. Ends in `N passed, N failed`. */
internal fun main(args: Array<String>) {
    val transports: Map<String, () -> Transport?> = mapOf("" to { null }, " over java.net.http" to { JavaHttpTransport() })
    val tests = LinkedHashMap<String, suspend (Cloud) -> Unit>()
    for ((suffix, transport) in transports) {
        for ((name, scenario) in SCENARIOS) tests["$name$suffix"] = { cloud -> World(cloud, transport).use { it.scenario() } }
    }
    for ((name, test) in BEYOND + RUNNING + ENDINGS) tests[name] = { cloud -> World(cloud) { null }.use { it.test() } }
    for ((name, test) in TRANSPORTS) tests[name] = { test() }
    val chosen = tests.filterKeys { name -> args.isEmpty() || args.any { it in name } }
    var failed = 0
    Cloud().use { cloud ->
        for ((name, test) in chosen) {
            val began = System.nanoTime()
            cloud.reset()
            val fault = runCatching { runBlocking(Dispatchers.Default) { test(cloud) } }.exceptionOrNull()
            println("${if (fault == null) "ok     " else "FAILED "} $name (${(System.nanoTime() - began) / 1_000_000} ms)")
            if (fault != null) {
                failed++
                fault.printStackTrace(System.out)
            }
        }
    }
    println("${chosen.size - failed} passed, $failed failed")
    exitProcess(if (failed == 0 && chosen.isNotEmpty()) 0 else 1)
}
