package partway.test

/** As much JSON as the sandbox speaks: maps, lists, strings, numbers as Double, booleans, null. */
internal class Json private constructor(private val text: String) {
    private var at = 0

    private fun value(): Any? {
        blank()
        return when (text[at]) {
            '{' -> members('}') { string().also { expect(':') } to value() }.toMap()
            '[' -> members(']') { value() }
            '"' -> string()
            else -> word()
        }
    }

    private fun <T> members(end: Char, member: () -> T): List<T> {
        at++
        val found = ArrayList<T>()
        while (true) {
            blank()
            if (text[at] == end) break
            if (found.isNotEmpty()) expect(',')
            blank()
            found += member()
        }
        at++
        return found
    }

    private fun string(): String {
        val out = StringBuilder()
        at++
        while (text[at] != '"') {
            if (text[at] != '\\') {
                out.append(text[at++])
                continue
            }
            when (val c = text[at + 1]) {
                'n' -> out.append('\n')
                't' -> out.append('\t')
                'r' -> out.append('\r')
                'u' -> {
                    out.append(text.substring(at + 2, at + 6).toInt(16).toChar())
                    at += 4
                }
                else -> out.append(c)
            }
            at += 2
        }
        at++
        return out.toString()
    }

    private fun word(): Any? {
        val from = at
        while (at < text.length && text[at] !in ",]} \n\t\r") at++
        return when (val word = text.substring(from, at)) {
            "null" -> null
            "true" -> true
            "false" -> false
            else -> word.toDouble()
        }
    }

    private fun blank() {
        while (text[at].isWhitespace()) at++
    }

    private fun expect(c: Char) {
        blank()
        require(text[at] == c) { "no $c at $at of $text" }
        at++
    }

    companion object {
        fun parse(text: String): Any? = Json(text).value()

        @Suppress("UNCHECKED_CAST")
        fun map(text: String): Map<String, Any?> = parse(text) as Map<String, Any?>

        @Suppress("UNCHECKED_CAST")
        fun list(text: String): List<Map<String, Any?>> = parse(text) as List<Map<String, Any?>>
    }
}
