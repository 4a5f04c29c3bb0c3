import Partway

func store(_ client: any UploadClient, save: (Snapshot) async throws -> Void) async throws {
    for await ended in client.endings {
        try await save(ended)
        try await client.forget(.one(id: ended.id))
    }
}
