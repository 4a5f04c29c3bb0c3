package partway

import java.util.Locale
import java.util.Properties

/** The key of its translation, such as `sign_in_again`: the same in every language of this library. */
val Remedy.key: String
    get() = name.lowercase(Locale.ROOT)

/**
 * What a person should do, in English or Chinese; empty for [Remedy.NONE]. A language that is not there is English, not whatever the device speaks. An app with texts
 * of its own looks them up by [key]. The first call in a language reads a resource of this library.
 */
fun Remedy.text(locale: Locale = Locale.getDefault()): String = (if (locale.language == "zh") Texts.chinese else Texts.english).getProperty(key)

/** Not by `ResourceBundle`: how that looks for one can't be chosen within a named module. */
private object Texts {
    val english: Properties by lazy { read("remedies.properties") }
    val chinese: Properties by lazy { read("remedies_zh.properties") }

    private fun read(name: String): Properties = Properties().apply {
        Remedy::class.java.getResourceAsStream("/partway/$name")!!.use(::load)
    }
}
