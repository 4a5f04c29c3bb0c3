import Foundation

/// Making one reads nothing: a source is opened when its upload's turn comes, and closed while the upload waits. `token` is your own word for it (a bookmark,
/// an asset's id, a path relative to a container), at most 16 KiB, kept with the upload and given back by `Configuration.sources`' ask; what lasts no longer
/// than the process can't be had again without it.
extension Source {
    /// A file of this device; it stays yours, and must stay where it is until the upload ends. `deleteAtEnd`: it is a copy made for this upload, removed at the
    /// end, also after a kill.
    public static func file(_ url: URL, token: Data = Data(), deleteAtEnd: Bool = false) -> Source {
        Source(what: .path(path: url.path, deleteAtEnd: deleteAtEnd), token: token)
    }

    /// A regular file that is open for reading, or `sizeBytes` of it from `offset` on (to its end without it). `owned`: its descriptor is the library's from
    /// here on and closed by it, also when the start is refused; else it stays yours, and is duplicated before `start` returns.
    public static func fd(_ fd: Int32, owned: Bool, token: Data = Data(), offset: Int64 = 0, sizeBytes: Int64? = nil) -> Source {
        Source(what: .fd(fd: fd, owned: owned, offset: offset, sizeBytes: sizeBytes), token: token)
    }

    /// Bytes in memory, at most 8 MiB, of which the library keeps a copy until the upload ends.
    public static func memory(_ bytes: Data, token: Data = Data()) -> Source {
        Source(what: .memory(bytes: bytes), token: token)
    }

    /// Bytes that `reader` reads, on threads of the library: it may block there, and several calls run at once where it says `concurrent`. What it throws makes
    /// the upload wait for its source. The library keeps it until the upload ends.
    public static func reader(_ reader: any SourceReader, token: Data = Data()) -> Source {
        Source(what: .reader(reader: GuardedReader(reader: reader)), token: token)
    }

    /// Asked for when its turn comes: see `Configuration.sources`.
    public static func later(token: Data) -> Source {
        Source(what: .later, token: token)
    }
}

extension Source {
    /// Reads the source once, off the caller's thread, while the caller is suspended; a cancelled task does not end it. Its digests, and where SHA-256 stands
    /// at each multiple of `partSizeBytes` (itself one of 64). Throws `PartwayError`; the generated `digest` is the same call, blocking, with the native error.
    public func digests(partSizeBytes: Int64? = nil) async throws -> Digests {
        try await Lane.reading.run { try PartwayError.thrown { try digest(source: self, partSizeBytes: partSizeBytes) } }
    }
}

/// The words of what was thrown can hold anything, so only its type is told.
private final class GuardedReader: SourceReader {
    let reader: any SourceReader

    init(reader: any SourceReader) {
        self.reader = reader
    }

    func lengthBytes() throws -> Int64 { try guarded { try reader.lengthBytes() } }

    func readAt(offset: Int64, bytesMax: Int32) throws -> Data { try guarded { try reader.readAt(offset: offset, bytesMax: bytesMax) } }

    func concurrent() throws -> Bool { try guarded { try reader.concurrent() } }

    private func guarded<T>(_ call: () throws -> T) throws -> T {
        do {
            return try pooled(call)
        } catch let error as HostError {
            throw error
        } catch {
            throw HostError.Failed(detail: "the host's own code threw \(type(of: error))")
        }
    }
}
