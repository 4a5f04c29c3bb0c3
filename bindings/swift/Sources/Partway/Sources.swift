import Foundation

extension Source {
    /// A file of this device. `deleteAtEnd`: it is a copy made for this upload, removed at the end, also after a kill.
    public static func file(_ url: URL, token: Data = Data(), deleteAtEnd: Bool = false) -> Source {
        Source(what: .path(path: url.path, deleteAtEnd: deleteAtEnd), token: token)
    }

    /// A descriptor that is open for reading. `owned`: it is the library's from here on, and closed by it.
    public static func fd(_ fd: Int32, owned: Bool, token: Data = Data()) -> Source {
        Source(what: .fd(fd: fd, owned: owned), token: token)
    }

    /// Bytes in memory, at most 8 MiB.
    public static func memory(_ bytes: Data, token: Data = Data()) -> Source {
        Source(what: .memory(bytes: bytes), token: token)
    }

    /// Bytes that `reader` reads.
    public static func reader(_ reader: any SourceReader, token: Data = Data()) -> Source {
        Source(what: .reader(reader: GuardedReader(reader: reader)), token: token)
    }

    /// Asked for when its turn comes: see `Configuration.sources`.
    public static func later(token: Data) -> Source {
        Source(what: .later, token: token)
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
            return try call()
        } catch let error as HostError {
            throw error
        } catch {
            throw HostError.Failed(detail: "the host's own code threw \(type(of: error))")
        }
    }
}
