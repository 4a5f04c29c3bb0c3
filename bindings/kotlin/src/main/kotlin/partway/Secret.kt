package partway

/** A token, a key or a signed URL: it can be handed on, and not printed. */
class Secret(private val value: String) {
    /** The text itself: for the socket, and for nothing else. */
    fun reveal(): String = value

    override fun equals(other: Any?): Boolean = other is Secret && other.value == value

    override fun hashCode(): Int = value.hashCode()

    override fun toString(): String = "Secret(…)"
}
