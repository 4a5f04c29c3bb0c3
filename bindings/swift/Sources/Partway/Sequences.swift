/// One upload as it changes: first as it is, then each time the latest. Ends after its ending, when it is forgotten, or when the client is closed. Every
/// iterator is a subscription of its own.
public struct Snapshots: AsyncSequence, Sendable {
    public typealias Element = Snapshot
    let board: Board
    let id: String

    public func makeAsyncIterator() -> Iterator { Iterator(board: board, id: id) }

    public struct Iterator: AsyncIteratorProtocol {
        let board: Board
        let id: String
        private var seen: UInt64 = 0
        private var ended = false

        init(board: Board, id: String) {
            self.board = board
            self.id = id
        }

        public mutating func next() async -> Snapshot? {
            if ended { return nil }
            let (id, seen) = (id, seen)
            let row = await board.first(of: id) { rows -> Board.Look<Board.Row> in
                guard let row = rows[id] else { return .never }
                return row.tick > seen ? .found(row) : .notYet
            }
            guard let row else { return nil }
            self.seen = row.tick
            ended = row.snapshot.state.ended
            return row.snapshot
        }
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
            let found = await board.first(of: nil) { rows -> Board.Look<[Snapshot]> in
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
                let rows = await board.first(of: nil) { rows -> Board.Look<[Board.Row]> in
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

/// Each ending once, those from before that were not forgotten first. Store it, then `forget` it. Ends when the client is closed.
public struct Endings: AsyncSequence, Sendable {
    public typealias Element = Snapshot
    let board: Board

    public func makeAsyncIterator() -> Iterator { Iterator(changes: Changes(board: board).makeAsyncIterator()) }

    public struct Iterator: AsyncIteratorProtocol {
        var changes: Changes.Iterator
        private var told: Set<String> = []

        init(changes: Changes.Iterator) {
            self.changes = changes
        }

        public mutating func next() async -> Snapshot? {
            while let snapshot = await changes.next() {
                // What a cancel could undo may still be told after the ending itself.
                if snapshot.state.ended, told.insert(snapshot.id).inserted { return snapshot }
            }
            return nil
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
