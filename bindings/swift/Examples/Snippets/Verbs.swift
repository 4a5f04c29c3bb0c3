import Foundation
import Partway

func verbs(_ client: any UploadClient, _ upload: Upload) async throws {
    upload.pause()
    upload.resume()
    client.pause(.group(group: "chat/7"))
    try upload.answer(.rename)
    try upload.attachSource(.file(URL(fileURLWithPath: "photo.jpg")))
    do {
        _ = try await withUploadCancellation(upload) { try await upload.receipt }
    } catch let error as UploadCancelledError {
        print("could be undone: \(error.remote)")
    } catch let error as PartwayError {
        print(error) // "PW-4005 quota_exceeded http=403 …": no token, path or name is in it
    }
}
