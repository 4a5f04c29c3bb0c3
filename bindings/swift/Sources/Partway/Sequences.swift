/// One upload as it changes: first as it is, then each time the latest. Ends after its ending (however soon it is forgotten), when it is forgotten, or when the
/// client is closed; at once, when there is none of that id. Every iterator is a subscription of its own.
public struct Snapshots: AsyncSequence, Sendable {
    public typealias Element = Snapshot
    let board: Board
    let id: String

    public func makeAsyncIterator() -> Iterator { Iterator(watch: board.watch(id)) }

    public struct Iterator: AsyncIteratorProtocol {
        let watch: Board.Subscription

        public mutating func next() async -> Snapshot? { await watch.next()?.last }
    }
}

/// The uploads that fit, oldest first, whole each time one of them changes: first as they are. Ends when the client is closed.
public struct Listing: AsyncSequence, Sendable {
    public typealias Element = [Snapshot]
    let board: Board
    let which: Select

    public func makeAsyncIterator() -> Iterator { Iterator(board: board, which: which) }

    public struct Iterator: AsyncIteratorProtocol {
        let board: Board
        let which: Select
        private var last: [Snapshot]?

        init(board: Board, which: Select) {
            self.board = board
            self.which = which
        }

        public mutating func next() async -> [Snapshot]? {
            let (which, last) = (which, last)
            let found = await board.first(of: .anything) { rows -> Board.Look<[Snapshot]> in
                let now = rows.values.map(\.snapshot).filter(which.fits).sorted { $0.id < $1.id }
                return now == last ? .notYet : .found(now)
            }
            guard let found else { return nil }
            self.last = found
            return found
        }
    }
}

/// Uploads as they change, each time the latest of one: first all of them as they are. Ends when the client is closed.
public struct Changes: AsyncSequence, Sendable {
    public typealias Element = Snapshot
    let board: Board

    public func makeAsyncIterator() -> Iterator { Iterator(board: board) }

    public struct Iterator: AsyncIteratorProtocol {
        let board: Board
        private var seen: UInt64 = 0
        private var batch: ArraySlice<Board.Row> = []

        init(board: Board) {
            self.board = board
        }

        public mutating func next() async -> Snapshot? {
            if batch.isEmpty {
                let seen = seen
                let rows = await board.first(of: .anything) { rows -> Board.Look<[Board.Row]> in
                    let changed = rows.values.filter { $0.tick > seen }
                    return changed.isEmpty ? .notYet : .found(changed.sorted { $0.tick < $1.tick })
                }
                batch = rows?[...] ?? []
            }
            guard let row = batch.popFirst() else { return nil }
            seen = row.tick
            return row.snapshot
        }
    }
}

/// Each ending exactly once to each iterator: first those from before it was made that were not forgotten, then each upload that ends, however soon it is
/// forgotten by whom. Store it, then `forget` it. Ends when the client is closed.
public struct Endings: AsyncSequence, Sendable {
    public typealias Element = Snapshot
    let board: Board

    public func makeAsyncIterator() -> Iterator { Iterator(watch: board.watchEndings()) }

    public struct Iterator: AsyncIteratorProtocol {
        let watch: Board.Subscription
        private var batch: ArraySlice<Snapshot> = []

        init(watch: Board.Subscription) {
            self.watch = watch
        }

        public mutating func next() async -> Snapshot? {
            if batch.isEmpty { batch = await watch.next()?[...] ?? [] }
            return batch.popFirst()
        }
    }
}

extension State {
    /// True for the three endings.
    public var ended: Bool {
        switch self {
        case .completed, .failed, .cancelled: true
        case .queued, .active, .waiting, .paused: false
        }
    }
}

extension Progress {
    /// For a progress bar: 0 to 1, never falls.
    public var fraction: Double { bytesTotal > 0 ? Double(bytesShown) / Double(bytesTotal) : 0 }
}

extension Select {
    func fits(_ snapshot: Snapshot) -> Bool {
        switch self {
        case .one(let id): snapshot.id == id
        case .key(let key): snapshot.key == key
        case .group(let group): snapshot.group == group
        case .account(let account): snapshot.account == account
        case .all: true
        }
    }
}
