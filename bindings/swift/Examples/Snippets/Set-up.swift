import Foundation
import Partway

protocol Auth: Sendable {
    func token(_ account: String, force: Bool) async throws -> String?
}

func openUploads(_ folder: URL, _ auth: any Auth) async throws -> Client {
    var configuration = Configuration(stateDirectory: folder) { account, why in
        try await auth.token(account, force: why == .refused) // nil, or an error: not now
    }
    // After a restart, or when its turn comes: the token is what you gave with the source.
    configuration.sources = { ask in .file(URL(fileURLWithPath: String(decoding: ask.token(), as: UTF8.self))) }
    configuration.limits = Limits(parallelUploads: 2)
    configuration.log = { level, target, line in print("\(level) \(target): \(line)") } // redacted: fit for any log
    return try await Client.open(configuration)
}
