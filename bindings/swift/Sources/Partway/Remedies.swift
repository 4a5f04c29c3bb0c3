import Foundation

extension Remedy {
    /// What a person should do, in English or Chinese; empty for `none`. `languages` are those of the person, the dearest first. An app with texts of its own
    /// looks them up by `key`.
    public func text(languages: [String] = Locale.preferredLanguages) -> String {
        // A language that is not there is English.
        let chinese = languages.first?.lowercased().hasPrefix("zh") ?? false
        return chinese ? row.chinese : row.english
    }

    /// The key of its translation, such as `sign_in_again`: the same in every language of this library.
    public var key: String { row.key }

    private var row: (key: String, english: String, chinese: String) {
        switch self {
        case .none: ("none", "", "")
        case .waitForNetwork: ("wait_for_network", "Check your network connection. The upload goes on by itself.", "请检查网络连接，恢复后将自动继续上传。")
        case .tryLater: ("try_later", "This did not work just now. Please try again later.", "暂时无法完成，请稍后重试。")
        case .signInAgain: ("sign_in_again", "Please sign in again to continue.", "请重新登录后继续。")
        case .askForAccess: ("ask_for_access", "You have no access to this place. Ask its owner for permission.", "您没有该位置的访问权限，请联系其所有者授权。")
        case .freeCloudSpace: ("free_cloud_space", "Your cloud space is full. Free some space, then try again.", "云空间已满，请清理空间后重试。")
        case .freeDeviceSpace: ("free_device_space", "This device is short of storage. Free some space, then try again.", "设备存储空间不足，请清理空间后重试。")
        case .chooseFileAgain: ("choose_file_again", "The file can't be read any more. Please choose it again.", "无法再读取该文件，请重新选择。")
        case .chooseOtherName: ("choose_other_name", "This name or folder can't be used. Please choose another one.", "该名称或文件夹不可用，请换一个。")
        case .answerConflict: ("answer_conflict", "A file of this name is there already. Choose what to do with it.", "已存在同名文件，请选择处理方式。")
        case .updateApp: ("update_app", "Please update the app.", "请更新应用。")
        case .contactSupport: ("contact_support", "Something went wrong. Please contact support.", "出现问题，请联系客服。")
        }
    }
}
