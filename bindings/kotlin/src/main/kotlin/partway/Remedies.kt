package partway

import java.util.Locale
import java.util.ResourceBundle

/** The key of its translation, such as `sign_in_again`: the same in every language of this library. */
val Remedy.key: String
    get() = name.lowercase(Locale.ROOT)

/** What a person should do, in English or Chinese; empty for [Remedy.NONE]. An app with texts of its own looks them up by [key]. */
fun Remedy.text(locale: Locale = Locale.getDefault()): String {
    // A language that is not there is English, not whatever the device speaks.
    val control = ResourceBundle.Control.getNoFallbackControl(ResourceBundle.Control.FORMAT_PROPERTIES)
    return ResourceBundle.getBundle("partway.remedies", locale, Remedy::class.java.classLoader!!, control).getString(key)
}
