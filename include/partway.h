/* partway.h: uploads that survive. Written by `cargo xtask header`; do not edit.
 *
 * An upload is a row with a key of yours: durable when partway_client_start returns, seen as one snapshot, reached by its id, its one ending kept until you
 * forget it. Begin with docs/c.md; what each error number means is in docs/errors.md, which thread calls what in docs/threads.md.
 *
 * Rules that hold for every function
 *
 * Results    A function that can fail returns partway_status_t: PARTWAY_OK (0), PARTWAY_TIMED_OUT, or the number of an error. Its last parameter,
 *            out_error, may be NULL; else it always receives something: NULL, or an error to free with partway_error_free. Other results are
 *            written on PARTWAY_OK and PARTWAY_TIMED_OUT only, but where a comment says otherwise.
 * Texts      Those that you give are UTF-8: a pointer and a length in bytes, or PARTWAY_NUL_TERMINATED as the length. Those that you are given are
 *            partway_text_t, or a static char pointer.
 * Memory     Nothing that you give is taken over: it is copied, or shared until it is not needed, and who made it frees it. What you are given by a
 *            pointer to a pointer is yours and has a _free of its own; what you find inside of something else lives as long as that. Every _free takes
 *            NULL, never blocks, and must be called once. Asks are given to you by callbacks and are yours as well.
 * Threads    A parameter that is a pointer to const may be used by several threads at once; one that is not is yours alone during the call. Everything
 *            may be made on one thread and freed on another. Each comment says on which threads a function may be called, and whether it blocks: "any but
 *            the main one" is said of everything that does. After a fork the child uses none of it that was made before.
 * Callbacks  Come on threads of the library, and only these within a call of yours as well, on its thread: the length of a reader in partway_client_start
 *            and partway_client_start_all, its length and read_at in partway_source_digest; a hook in partway_call_on_cancel and in
 *            partway_upload_look_remote; any release in the call that lets go of what held the context last, most often a _free or a _set. In such a call
 *            hold no lock that they take. They may call the library and free what it gave them; what has a time-out does not wait in a callback: it counts
 *            as 0, and partway_upload_look_remote is refused. Only a reader and a hook call nothing of the library, and a release nothing but a _free.
 *            They must not throw, longjmp or end the thread.
 * Contexts   Each table of functions has a context, which each of them is given, and a release, which is called once, last.
 * Growth     A struct that you fill begins with struct_size: set it to its sizeof, and what you do not use to 0, "reserved" too. A struct that you read
 *            begins with the size that it has in the library. One without a size never changes. Numbers of lists are only ever added: be ready for one
 *            that you do not know.
 * Misuse     NULL, texts that are not UTF-8, unknown numbers and wrong sizes are errors. A pointer that was freed, or that is not what it should be, is
 *            not noticed. A fault of the library itself is PARTWAY_ERROR_BUG; it never unwinds into your code.
 */


#ifndef PARTWAY_H
#define PARTWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As a length: the text ends at its NUL. */
#define PARTWAY_NUL_TERMINATED SIZE_MAX
/** An argument can't be used as given. */
#define PARTWAY_ERROR_INVALID_ARGUMENT 1001
/** The part size can't work for this file at this service. */
#define PARTWAY_ERROR_PART_SIZE_UNUSABLE 1002
/** This service or this version can't do that. */
#define PARTWAY_ERROR_UNSUPPORTED 1003
/** There is no upload of that id. */
#define PARTWAY_ERROR_UNKNOWN_UPLOAD 1004
/** The file is not where it was. */
#define PARTWAY_ERROR_SOURCE_NOT_FOUND 2001
/** The file may not be read at the moment. */
#define PARTWAY_ERROR_SOURCE_DENIED 2002
/** The file's content changed since the upload began. */
#define PARTWAY_ERROR_SOURCE_CHANGED 2003
/** The source can't be read from the middle; copy it to a file first. */
#define PARTWAY_ERROR_SOURCE_NOT_SEEKABLE 2004
/** Reading the file failed. */
#define PARTWAY_ERROR_SOURCE_UNREADABLE 2005
/** The file is larger than the service takes. */
#define PARTWAY_ERROR_SOURCE_TOO_LARGE 2006
/** The device is offline. */
#define PARTWAY_ERROR_OFFLINE 3001
/** The service's address was not found. */
#define PARTWAY_ERROR_RESOLVE_FAILED 3002
/** The service could not be reached. */
#define PARTWAY_ERROR_CONNECT_FAILED 3003
/** The connection could not be secured. */
#define PARTWAY_ERROR_TLS_FAILED 3004
/** The connection broke off. */
#define PARTWAY_ERROR_CONNECTION_CUT 3005
/** Nothing moved for too long. */
#define PARTWAY_ERROR_STALLED 3006
/** The answer was not understood; something between the device and the service may have changed it. */
#define PARTWAY_ERROR_ANSWER_MALFORMED 3007
/** The answer was larger than any honest one. */
#define PARTWAY_ERROR_ANSWER_TOO_LARGE 3008
/** The proxy could not be used. */
#define PARTWAY_ERROR_PROXY_FAILED 3009
/** The service pointed elsewhere; signed requests are never redirected. */
#define PARTWAY_ERROR_REDIRECT_REFUSED 3010
/** The network that there is may not be used for this upload. */
#define PARTWAY_ERROR_NETWORK_NOT_ALLOWED 3011
/** The service asked to slow down. */
#define PARTWAY_ERROR_SERVICE_BUSY 4001
/** The service failed inside. */
#define PARTWAY_ERROR_SERVICE_ERROR 4002
/** The service refused the credential. */
#define PARTWAY_ERROR_CREDENTIAL_REFUSED 4003
/** The account may not do that there. */
#define PARTWAY_ERROR_PERMISSION_DENIED 4004
/** The cloud space is full. */
#define PARTWAY_ERROR_QUOTA_EXCEEDED 4005
/** The name is taken. */
#define PARTWAY_ERROR_NAME_CONFLICT 4006
/** The directory to upload to does not exist. */
#define PARTWAY_ERROR_PARENT_MISSING 4007
/** The service does not take this name. */
#define PARTWAY_ERROR_NAME_REFUSED 4008
/** The service forgot the upload. */
#define PARTWAY_ERROR_SESSION_GONE 4009
/** The service refused its own signed link. */
#define PARTWAY_ERROR_LINK_REFUSED 4010
/** What arrived is not what was sent. */
#define PARTWAY_ERROR_INTEGRITY_FAILED 4011
/** The service misses parts that were sent. */
#define PARTWAY_ERROR_PARTS_MISSING 4012
/** The service does not take this content. */
#define PARTWAY_ERROR_CONTENT_REFUSED 4013
/** The service refused the request. */
#define PARTWAY_ERROR_REQUEST_REFUSED 4014
/** The service's account is in arrears. */
#define PARTWAY_ERROR_PAYMENT_REQUIRED 4015
/** The file in the cloud is not the version to be replaced. */
#define PARTWAY_ERROR_VERSION_CONFLICT 4016
/** The library, space or container does not exist or is closed. */
#define PARTWAY_ERROR_SPACE_NOT_FOUND 4017
/** The state directory can't be written. */
#define PARTWAY_ERROR_STATE_DIR_UNUSABLE 5001
/** The device has no space left for the journal. */
#define PARTWAY_ERROR_DISK_FULL 5002
/** An upload's journal is damaged; it was set aside. */
#define PARTWAY_ERROR_JOURNAL_CORRUPT 5003
/** An upload's journal was written by a newer version. */
#define PARTWAY_ERROR_JOURNAL_VERSION 5004
/** Another process works on this upload. */
#define PARTWAY_ERROR_IN_USE 5005
/** The journal can't be written. */
#define PARTWAY_ERROR_JOURNAL_UNWRITABLE 5006
/** The upload was cancelled. */
#define PARTWAY_ERROR_CANCELLED 6001
/** The client is closed. */
#define PARTWAY_ERROR_CLOSED 6002
/** The upload's own time ran out. */
#define PARTWAY_ERROR_GAVE_UP 6003
/** The upload is not in a state for that. */
#define PARTWAY_ERROR_WRONG_STATE 6004
/** Whether the object exists can't be told; look before uploading again. */
#define PARTWAY_ERROR_OUTCOME_UNKNOWN 7001
/** A fault of the library itself. */
#define PARTWAY_ERROR_BUG 9001
/* Which part of the world an error comes from: the words stand in docs/errors.md. */
#define PARTWAY_CATEGORY_USAGE 0
#define PARTWAY_CATEGORY_SOURCE 1
#define PARTWAY_CATEGORY_NETWORK 2
#define PARTWAY_CATEGORY_SERVICE 3
#define PARTWAY_CATEGORY_STATE 4
#define PARTWAY_CATEGORY_LIFECYCLE 5
#define PARTWAY_CATEGORY_UNKNOWN 6
#define PARTWAY_CATEGORY_BUG 7
/* What a program should do about an error: the words stand in docs/errors.md. */
#define PARTWAY_DISPOSITION_RETRY 0
#define PARTWAY_DISPOSITION_RESTART 1
#define PARTWAY_DISPOSITION_ASK_USER 2
#define PARTWAY_DISPOSITION_FINAL 3
/* What a person should do about an error: the words stand in docs/errors.md. */
#define PARTWAY_REMEDY_NONE 0
#define PARTWAY_REMEDY_WAIT_FOR_NETWORK 1
#define PARTWAY_REMEDY_TRY_LATER 2
#define PARTWAY_REMEDY_SIGN_IN_AGAIN 3
#define PARTWAY_REMEDY_ASK_FOR_ACCESS 4
#define PARTWAY_REMEDY_FREE_CLOUD_SPACE 5
#define PARTWAY_REMEDY_FREE_DEVICE_SPACE 6
#define PARTWAY_REMEDY_CHOOSE_FILE_AGAIN 7
#define PARTWAY_REMEDY_CHOOSE_OTHER_NAME 8
#define PARTWAY_REMEDY_ANSWER_CONFLICT 9
#define PARTWAY_REMEDY_UPDATE_APP 10
#define PARTWAY_REMEDY_CONTACT_SUPPORT 11


/** It was done. */
#define PARTWAY_OK 0
/** The time was over first. This is no error; what the call gives out is there, and says how things are. */
#define PARTWAY_TIMED_OUT 1
/** For a time-out in milliseconds: none. */
#define PARTWAY_FOREVER UINT64_MAX
/** For a number that is given out: it is not known, or there is none. */
#define PARTWAY_NONE UINT64_MAX
/** The version of this interface. It grows when something is added; a library serves every program that was built with the same or an earlier one. */
#define PARTWAY_ABI_VERSION 1
/** Service: Tencent Smart Media Hosting. */
#define PARTWAY_SERVICE_SMH 1
/** Service: Huawei KooDrive. */
#define PARTWAY_SERVICE_KOODRIVE 2
/** State: in line. */
#define PARTWAY_STATE_QUEUED 1
/** State: at work; see the phase. */
#define PARTWAY_STATE_ACTIVE 2
/** State: something outside must change first; see the waiting. */
#define PARTWAY_STATE_WAITING 3
/** State: you said so. */
#define PARTWAY_STATE_PAUSED 4
/** State, an ending: the object exists; see the receipt. */
#define PARTWAY_STATE_COMPLETED 5
/** State, an ending: it will not; see the error. */
#define PARTWAY_STATE_FAILED 6
/** State, an ending: you did not want it any more; see what could be undone. */
#define PARTWAY_STATE_CANCELLED 7
/** Phase: one that this header does not know. */
#define PARTWAY_PHASE_OTHER 255
/** Phase: comparing what was sent with a source that may be another one. */
#define PARTWAY_PHASE_VERIFYING 1
/** Phase: hashing ahead of sending. */
#define PARTWAY_PHASE_HASHING 2
/** Phase: opening a session at the service, or finding the one from before. */
#define PARTWAY_PHASE_STARTING 3
/** Phase: sending. */
#define PARTWAY_PHASE_UPLOADING 4
/** Phase: getting fresh links. */
#define PARTWAY_PHASE_RENEWING 5
/** Phase: having the object made. */
#define PARTWAY_PHASE_COMPLETING 6
/** Phase: finding out what became of a request whose answer was lost. */
#define PARTWAY_PHASE_RECONCILING 7
/** Waiting for something that this header does not know. */
#define PARTWAY_WAITING_OTHER 255
/** Waiting: the device is offline. */
#define PARTWAY_WAITING_NETWORK 1
/** Waiting: the network there is may not be used. */
#define PARTWAY_WAITING_NETWORK_POLICY 2
/** Waiting: for the next try. */
#define PARTWAY_WAITING_RETRY 3
/** Waiting: for a credential. */
#define PARTWAY_WAITING_CREDENTIAL 4
/** Waiting: for the source. */
#define PARTWAY_WAITING_SOURCE 5
/** Waiting: for an answer to a conflict; see the choices. */
#define PARTWAY_WAITING_CONFLICT 6
/** Waiting: the operating system has it. */
#define PARTWAY_WAITING_HANDED_OFF 7
/** Waiting: for space on the device. */
#define PARTWAY_WAITING_DISK 8
/** Waiting: the client is held. */
#define PARTWAY_WAITING_HELD 9
/** Waiting: another process has it. */
#define PARTWAY_WAITING_ELSEWHERE 10
/** What a cancel undid: the service gave everything up. */
#define PARTWAY_REMOTE_ABORTED 1
/** What a cancel undid: the service was not reached yet; it is tried again. */
#define PARTWAY_REMOTE_ABORT_PENDING 2
/** What a cancel undid: there was nothing. */
#define PARTWAY_REMOTE_NOTHING_THERE 3
/** What a cancel undid: the service has no way to do it. */
#define PARTWAY_REMOTE_CANNOT_ABORT 4
/** What a start led to: a new upload. */
#define PARTWAY_HOW_NEW 1
/** What a start led to: the key was known, and the upload of that key goes on. */
#define PARTWAY_HOW_ALREADY_THERE 2
/** What a start led to: a new upload that took over what an ended one had proven; that one is gone. */
#define PARTWAY_HOW_CONTINUED 3
/** Why a credential is asked for: there is none yet. */
#define PARTWAY_WHY_FIRST 1
/** Why a credential is asked for: the service refused the last one. */
#define PARTWAY_WHY_REFUSED 2
/** Why a credential is asked for: the one in use will soon be over; uploads go on with it meanwhile. */
#define PARTWAY_WHY_EXPIRING 3
/** After a sign-out: the uploads of the account wait for its next credential. */
#define PARTWAY_SIGN_OUT_HOLD 1
/** After a sign-out: the uploads of the account are cancelled. */
#define PARTWAY_SIGN_OUT_CANCEL 2
/** Which networks may be used: every one. The default. */
#define PARTWAY_NETWORK_POLICY_ANY 1
/** Which networks may be used: none of a foreign operator. */
#define PARTWAY_NETWORK_POLICY_NO_ROAMING 2
/** Which networks may be used: none whose bytes cost something. */
#define PARTWAY_NETWORK_POLICY_UNMETERED 3
/** How much a line of the log matters: something is broken. */
#define PARTWAY_LOG_ERROR 1
/** How much a line of the log matters: something needs somebody, or an upload failed. The default. */
#define PARTWAY_LOG_WARN 2
/** How much a line of the log matters: uploads come, change and end. */
#define PARTWAY_LOG_INFO 3
/** How much a line of the log matters: asks and their answers, the network, limits. */
#define PARTWAY_LOG_DEBUG 4
/** When the name is taken: wait for an answer; no byte is sent again. */
#define PARTWAY_CONFLICT_ASK 1
/** When the name is taken: take another one. The default. */
#define PARTWAY_CONFLICT_RENAME 2
/** When the name is taken: replace the file. */
#define PARTWAY_CONFLICT_OVERWRITE 3

/**
 * When the name is taken: make nothing beside or over what is there. The upload waits for an answer, as with PARTWAY_CONFLICT_ASK; the services' own words
 * for the two differ.
 */
#define PARTWAY_CONFLICT_REFUSE 4
/** When the name is taken: keep what is there if it has the same content, else take another name. */
#define PARTWAY_CONFLICT_KEEP_IF_SAME 5
/** An answer to a conflict, a bit of the choices: take another name. */
#define PARTWAY_CHOICE_RENAME 1
/** An answer to a conflict, a bit of the choices: replace the file. */
#define PARTWAY_CHOICE_OVERWRITE 2
/** An answer to a conflict, a bit of the choices: keep what is there if it has the same content. */
#define PARTWAY_CHOICE_KEEP_IF_SAME 4
/** An answer to a conflict, a bit of the choices: cancel the upload. */
#define PARTWAY_CHOICE_CANCEL 8
/** When the bytes changed since the upload began: wait for the old ones; what was sent is kept. The default. */
#define PARTWAY_ON_CHANGE_FAIL 1
/** When the bytes changed since the upload began: begin over with the new ones. */
#define PARTWAY_ON_CHANGE_RESTART 2
/** Whether the service may recognise the content: hash first only when that is quick. The default. */
#define PARTWAY_INSTANT_AUTO 1
/** Whether the service may recognise the content: hash first if a hit needs it. */
#define PARTWAY_INSTANT_ALWAYS 2
/** Whether the service may recognise the content: never. */
#define PARTWAY_INSTANT_OFF 3
/** How SMH takes the bytes: as suits the size. The default. */
#define PARTWAY_SMH_MODE_AUTO 1
/** How SMH takes the bytes: one request. */
#define PARTWAY_SMH_MODE_SIMPLE 2
/** How SMH takes the bytes: one form. */
#define PARTWAY_SMH_MODE_FORM 3
/** How SMH takes the bytes: in parts. */
#define PARTWAY_SMH_MODE_MULTIPART 4
/** Which edition of KooDrive answers: China, and the international one since 2025. The default. */
#define PARTWAY_KOODRIVE_EDITION_CURRENT 1
/** Which edition of KooDrive answers: the international one by its text of July 2024. */
#define PARTWAY_KOODRIVE_EDITION_INTERNATIONAL_2024 2
/** Which edition of KooDrive answers: an operator's. */
#define PARTWAY_KOODRIVE_EDITION_CARRIER 3
/** What a look at the service led to: there is nothing to ask for. The upload was not begun there, or was made in one request. */
#define PARTWAY_LOOK_NO_SESSION 1
/** What a look at the service led to: the service does not know it, or does not know it any more. */
#define PARTWAY_LOOK_GONE 2
/** What a look at the service led to: it told something. */
#define PARTWAY_LOOK_FOUND 3
/** Request, text: https://host[:port] of the service; plain http:// makes the way of the bytes plain too. */
#define PARTWAY_REQUEST_ENDPOINT 100
/** Request, text: the account whose credential is asked for. */
#define PARTWAY_REQUEST_ACCOUNT 101
/** Request, text: the user. SMH: acts as that user, with an admin token. KooDrive: for application authentication. */
#define PARTWAY_REQUEST_USER_ID 102
/** Request, number: when the file was created on this device, in milliseconds since 1970. */
#define PARTWAY_REQUEST_CREATED_UNIX_MS 103
/** Request, SMH, text: the library. */
#define PARTWAY_REQUEST_LIBRARY 200
/** Request, SMH, text: the space; "-" in a library with one tenant, which is the default. */
#define PARTWAY_REQUEST_SPACE 201
/** Request, SMH, text: where to, split on "/" and encoded by the library. */
#define PARTWAY_REQUEST_PATH 202
/** Request, SMH, number: how the bytes travel, PARTWAY_SMH_MODE_…. */
#define PARTWAY_REQUEST_SMH_MODE 203
/** Request, SMH, number: not 0: a missing parent directory is created. */
#define PARTWAY_REQUEST_CREATE_PARENTS 204
/** Request, SMH, pair: metadata of the service, x-smh-meta-…; each call adds one. */
#define PARTWAY_REQUEST_META 205
/** Request, SMH, text: a label; each call adds one. */
#define PARTWAY_REQUEST_LABEL 206
/** Request, SMH, text: the person's own category. */
#define PARTWAY_REQUEST_CATEGORY 207
/** Request, SMH, number: when the file was last modified on this device, in milliseconds since 1970. */
#define PARTWAY_REQUEST_MODIFIED_UNIX_MS 208
/** Request, SMH, number: the speed that the service allows its links, in bytes a second. */
#define PARTWAY_REQUEST_TRAFFIC_LIMIT_BYTES_PER_S 209
/** Request, SMH, number: not 0: the storage domain of the file to be replaced, if it can be had. */
#define PARTWAY_REQUEST_PREFER_SAME_ORIGIN 210
/** Request, SMH, number: not 0: the deployment that signs each part on its own. What its answers show wins over this. */
#define PARTWAY_REQUEST_PRIVATE_DEPLOYMENT 211
/** Request, KooDrive, text: the container. */
#define PARTWAY_REQUEST_CONTAINER 300
/** Request, KooDrive, text: the id of the parent folder; "root" by default. */
#define PARTWAY_REQUEST_PARENT 301
/** Request, KooDrive, text: the name of the file. */
#define PARTWAY_REQUEST_NAME 302
/** Request, KooDrive, number: the service's own number for the kind of file. */
#define PARTWAY_REQUEST_FILE_TYPE 303
/** Request, KooDrive, text: a shared folder that the upload goes into. */
#define PARTWAY_REQUEST_SHARED_FOLDER 304
/** Request, KooDrive, text: the language of the service's messages. */
#define PARTWAY_REQUEST_LANGUAGE 305
/** Request, KooDrive, number: which edition of the service answers, PARTWAY_KOODRIVE_EDITION_…. */
#define PARTWAY_REQUEST_KOODRIVE_EDITION 306
/** Request, text: your own name for the upload, 1 to 1024 bytes. The same key again is the same upload, also in the next process. */
#define PARTWAY_REQUEST_KEY 1
/** Request, text: your own grouping, such as an album. */
#define PARTWAY_REQUEST_GROUP 2
/** Request, pair: your own notes, at most 1 KiB in all; each call adds one. They come back in every snapshot and are never logged. */
#define PARTWAY_REQUEST_TAG 3
/** Request, number: -128 to 127, higher first; 0 by default. */
#define PARTWAY_REQUEST_PRIORITY 4
/** Request, number: when the name is taken, PARTWAY_CONFLICT_…. */
#define PARTWAY_REQUEST_CONFLICT 5
/** Request, text: beside PARTWAY_CONFLICT_OVERWRITE: only if it is still this version. */
#define PARTWAY_REQUEST_IF_VERSION 6
/** Request, number: when the bytes changed since the upload began, PARTWAY_ON_CHANGE_…. */
#define PARTWAY_REQUEST_ON_CHANGE 7
/** Request, number: whether the service may recognise the content, PARTWAY_INSTANT_…. */
#define PARTWAY_REQUEST_INSTANT 8
/** Request, number: not 0: compares what is sent with a second read of the file, for sources whose changes leave no trace. */
#define PARTWAY_REQUEST_VERIFY_SOURCE 9
/** Request, number: bytes of every part but the last; refused if it can't work. */
#define PARTWAY_REQUEST_PART_SIZE_BYTES 10
/** Request, number: at most so many parts at once. */
#define PARTWAY_REQUEST_PARALLEL_PARTS 11
/** Request, text: the confirm key of an upload that another SDK began: it is continued. */
#define PARTWAY_REQUEST_ADOPT_CONFIRM_KEY 12
/** Request, number: which networks it may use, PARTWAY_NETWORK_POLICY_…. Refused, unless it is any, by a client that was never told of a network. */
#define PARTWAY_REQUEST_NETWORK_POLICY 13
/** Request, number: bytes a second of this upload, beside the client's own limit; 0: no limit of its own. */
#define PARTWAY_REQUEST_RATE_BYTES_PER_S 14
/** Request, number: so many milliseconds after the start it fails, if it has not ended by then; else it waits for ever, explained. */
#define PARTWAY_REQUEST_GIVE_UP_AFTER_MS 15
/** Change, number: -128 to 127, higher first. */
#define PARTWAY_CHANGE_PRIORITY 1
/** Change, number: at most so many parts at once. */
#define PARTWAY_CHANGE_PARALLEL_PARTS 2
/** Change, number: when the name is taken, PARTWAY_CONFLICT_…; answers an open conflict. */
#define PARTWAY_CHANGE_CONFLICT 3
/** Change, text: beside PARTWAY_CONFLICT_OVERWRITE: only if it is still this version. */
#define PARTWAY_CHANGE_IF_VERSION 4
/** Change, number: when the bytes changed, PARTWAY_ON_CHANGE_…. */
#define PARTWAY_CHANGE_ON_CHANGE 5
/** Change, number: which networks it may use, PARTWAY_NETWORK_POLICY_…; a part that breaks it is stopped at once. */
#define PARTWAY_CHANGE_NETWORK_POLICY 6
/** Change, number: bytes a second; 0: no limit of its own. */
#define PARTWAY_CHANGE_RATE_BYTES_PER_S 7
/** Select: all uploads; the text is not looked at. */
#define PARTWAY_SELECT_ALL 1
/** Select: the one of this id. */
#define PARTWAY_SELECT_ID 2
/** Select: the one of this key. */
#define PARTWAY_SELECT_KEY 3
/** Select: those of this group. */
#define PARTWAY_SELECT_GROUP 4
/** Select: those of this account. */
#define PARTWAY_SELECT_ACCOUNT 5
/** Why there is no answer: the name was not found. This and the next three say that nothing of the request left the device. */
#define PARTWAY_FAULT_RESOLVE 1
/** Why there is no answer: no connection came about, or the device is offline. */
#define PARTWAY_FAULT_CONNECT 2
/** Why there is no answer: the connection could not be secured. */
#define PARTWAY_FAULT_TLS 3
/** Why there is no answer: the proxy could not be reached, or refused. */
#define PARTWAY_FAULT_PROXY 4
/** Why there is no answer: the connection broke. When in doubt, this. */
#define PARTWAY_FAULT_CUT 5
/** Why there is no answer: nothing moved for too long. */
#define PARTWAY_FAULT_TIMED_OUT 6
/** Why there is no answer: what came is no HTTP answer. */
#define PARTWAY_FAULT_MALFORMED 7
/** The network: you do not know, or do not say. The default. */
#define PARTWAY_NETWORK_UNREPORTED 0
/** The network: none. Uploads wait and spend nothing. */
#define PARTWAY_NETWORK_OFFLINE 1
/** The network: there is one. */
#define PARTWAY_NETWORK_ONLINE 2
/** Config, text: the directory for journals; created if need be. One client a directory and process. It must be set. */
#define PARTWAY_CONFIG_STATE_DIR 1
/** Config, text: http://[user:password@]host:port. The environment is never read. */
#define PARTWAY_CONFIG_PROXY 2
/** Config, text: certificates to trust beside the bundled ones, as PEM. */
#define PARTWAY_CONFIG_EXTRA_CA_PEM 3
/** Config, text: the SHA-256 of a key (SubjectPublicKeyInfo; base64 or hex) that one of the certificates of every host must have; each call adds one. */
#define PARTWAY_CONFIG_SPKI_SHA256_PIN 5
/** Config, number: the least important lines that on_log is given, PARTWAY_LOG_…. */
#define PARTWAY_CONFIG_LOG_LEVEL 6
/** Config, number: an ended upload is forgotten by itself so many milliseconds after it ended; else it is kept until you forget it. */
#define PARTWAY_CONFIG_ENDED_KEPT_MS 7
/** Config, number: 0: the client opens held, until partway_client_go. Otherwise uploads go on at once, which is the default. */
#define PARTWAY_CONFIG_AUTOSTART 4
/** Room for an id and its NUL. */
#define PARTWAY_ID_SIZE 27

/** A request to carry, and the place for its answer. Its functions may be called from any thread. Free it with partway_call_free. */
typedef struct partway_call_t partway_call_t;

/** What to change of uploads under way: only what is set. Free it with partway_change_free. As a request it remembers the first field that was refused. */
typedef struct partway_change_t partway_change_t;

/** A client: one a state directory and process. All its functions may be called by several threads at once. Close it with partway_client_free. */
typedef struct partway_client_t partway_client_t;

/** How a client is opened. Free it with partway_config_free, also after the client was opened. As a request it remembers the first field that was refused. */
typedef struct partway_config_t partway_config_t;

/**
 * A question for a credential. Answer it once, from any thread; free it with partway_credential_ask_free. Freed without an answer it counts as "not
 * now". Without an answer for 60 seconds the uploads wait, named so; a later answer still counts. It may outlive the client.
 */
typedef struct partway_credential_ask_t partway_credential_ask_t;

/** Several snapshots. Free it with partway_list_free. */
typedef struct partway_list_t partway_list_t;

/**
 * One file to one place. Free it with partway_request_free; an upload that was started with it does not need it any more.
 *
 * A request remembers the first field that was refused, and partway_client_start refuses it then: no upload is started with less than you asked for,
 * whether you look at each result or not.
 */
typedef struct partway_request_t partway_request_t;

/**
 * A request to be signed in an application's name. Answer it once, from any thread; free it with partway_sign_ask_free. Freed without an answer it counts
 * as refused. Without an answer for 60 seconds the upload waits, named so. It may outlive the client.
 */
typedef struct partway_sign_ask_t partway_sign_ask_t;

/**
 * A question for a source. Answer it once, from any thread; free it with partway_source_ask_free. Freed without an answer it counts as "gone". It may
 * outlive the client.
 */
typedef struct partway_source_ask_t partway_source_ask_t;

/** The bytes to upload, and your own word for them. Free it with partway_source_free; what was made with it does not need it any more. */
typedef struct partway_source_t partway_source_t;

/**
 * A reference to an upload: its client and its id. The upload does not depend on it: freeing it touches nothing, and there may be many of the same
 * upload. All its functions may be called by several threads at once.
 */
typedef struct partway_upload_t partway_upload_t;

/**
 * A text or bytes that are given out. `data` is NULL when there is none. After the last byte there is a NUL that `len` does not count.
 * Valid as long as what it was found in.
 */
typedef struct partway_text_t {
    /** The bytes: UTF-8, unless the comment says otherwise. */
    const char *data;
    /** How many. */
    size_t len;
} partway_text_t;

/** A text that is given out by itself. Free it with partway_string_free. */
typedef struct partway_string_t {
    /** Its size in the library; fields beyond it are not there. */
    size_t struct_size;
    /** It. */
    struct partway_text_t text;
} partway_string_t;

/** What went wrong. It holds no token, URL, path or user's name. Read only; free it with partway_error_free, unless it was found in something else. */
typedef struct partway_error_t {
    /** Its size in the library; fields beyond it are not there. */
    size_t struct_size;
    /** The stable number, PARTWAY_ERROR_…. */
    uint32_t code;
    /** Which part of the world it comes from, PARTWAY_CATEGORY_…. */
    uint32_t category;
    /** What a program should do, PARTWAY_DISPOSITION_…. */
    uint32_t disposition;
    /** What a person should do, PARTWAY_REMEDY_…: a key for your translations. */
    uint32_t remedy;
    /** The HTTP status behind it; 0: none. */
    uint32_t http_status;
    /** Not used. */
    uint32_t reserved;
    /** When the service asked to come back, in milliseconds; PARTWAY_NONE: it did not say. */
    uint64_t retry_after_ms;
    /** The stable name, such as quota_exceeded. */
    struct partway_text_t name;
    /** For developers: what happened, in one sentence. */
    struct partway_text_t detail;
    /** The service's own word for it. */
    struct partway_text_t service_code;
    /** The service's id of the request, for its support. */
    struct partway_text_t request_id;
    /** One line for a log: PW-number name and what else is known. */
    struct partway_text_t log_line;
} partway_error_t;

/** A name and its value. */
typedef struct partway_pair_t {
    /** The name. */
    struct partway_text_t name;
    /** The value. */
    struct partway_text_t value;
} partway_pair_t;

/** A named wait. Found in a snapshot. */
typedef struct partway_waiting_t {
    /** Its size in the library; fields beyond it are not there. */
    size_t struct_size;
    /** For what, PARTWAY_WAITING_…. */
    uint32_t reason;
    /** The answers that a conflict can have, PARTWAY_CHOICE_…, or-ed together. */
    uint32_t choices;
    /** True: waiting alone will hardly help. You or a person have to do something. */
    bool needs_host;
    /** Not used. */
    uint8_t reserved[7];
    /** Since when, by the device's clock, in milliseconds since 1970. */
    int64_t since_unix_ms;
    /** When it is tried again without anybody's help, in milliseconds from the snapshot; PARTWAY_NONE: not by itself. */
    uint64_t retry_in_ms;
    /** What led to it; NULL: no error. */
    const struct partway_error_t *error;
    /** How much of the source you said is prepared, 0 to 1; below 0: you did not say. */
    double prepared;
} partway_waiting_t;

/** The finished object, as the service told it. Found in a snapshot. */
typedef struct partway_receipt_t {
    /** Its size in the library; fields beyond it are not there. */
    size_t struct_size;
    /** The size of the object. */
    uint64_t size_bytes;
    /** Its final name, after conflict handling. */
    struct partway_text_t name;
    /** Its final path from the root, the name last; NULL when the service gives none. */
    const struct partway_text_t *path;
    /** How many names the path has. */
    size_t path_count;
    /** The service's id of it. */
    struct partway_text_t file_id;
    /** SHA-256 of the content, lower-case hex. */
    struct partway_text_t sha256;
    /** CRC-64/XZ of the content, decimal. */
    struct partway_text_t crc64;
    /** The version to name when it is to be replaced later only if nobody else did. */
    struct partway_text_t version;
    /** The service's id of the request that made it. */
    struct partway_text_t request_id;
    /** The service's own last answer, whole. */
    struct partway_text_t service_json;
    /** True: the service had the content already. */
    bool instant;
    /** True: a file of the same name was replaced. */
    bool overwritten;
    /** Not used. */
    uint8_t reserved[6];
} partway_receipt_t;

/** Everything about one upload at one moment. Read only, never changes, may be read by several threads at once. */
typedef struct partway_snapshot_t {
    /** Its size in the library; fields beyond it are not there. */
    size_t struct_size;
    /** Grows with every change within one process: a late callback can be told from a new one. */
    uint64_t revision;
    /** 26 characters. */
    struct partway_text_t id;
    /** Your own name for it. */
    struct partway_text_t key;
    /** Your own grouping. */
    struct partway_text_t group;
    /** The account whose credential it uses. */
    struct partway_text_t account;
    /** Where to, for people: never for a log. */
    struct partway_text_t destination;
    /** Your own notes, by name. */
    const struct partway_pair_t *tags;
    /** How many. */
    size_t tags_count;
    /** PARTWAY_SERVICE_…. */
    uint32_t service;
    /** Which networks it may use, PARTWAY_NETWORK_POLICY_…. */
    uint32_t network_policy;
    /** Where it stands, PARTWAY_STATE_…. */
    uint32_t state;
    /** At what, while it is active, PARTWAY_PHASE_…; else 0. */
    uint32_t phase;
    /** What a cancel could undo, once it is cancelled, PARTWAY_REMOTE_…; else 0. */
    uint32_t remote;
    /** Not used. */
    uint32_t reserved;
    /** For what it waits; NULL unless it is waiting. */
    const struct partway_waiting_t *waiting;
    /** The object; NULL unless it is completed. */
    const struct partway_receipt_t *receipt;
    /** Why it failed; NULL unless it did. */
    const struct partway_error_t *error;
    /** When it was started, by the device's clock, in milliseconds since 1970. */
    int64_t created_unix_ms;
    /** When its state changed last, by the device's clock, in milliseconds since 1970. */
    int64_t changed_unix_ms;
    /** Bytes of the file; 0 until it was opened. */
    uint64_t bytes_total;
    /** Bytes taken by the digest pass, where one runs. */
    uint64_t bytes_hashed;
    /** Bytes that the service has for certain. */
    uint64_t bytes_acknowledged;
    /** For a bar: acknowledged and in flight; never falls, never above the total. */
    uint64_t bytes_shown;
    /** Bytes given to the network in this run. */
    uint64_t bytes_sent;
    /** Those of them for stretches that were sent before. */
    uint64_t bytes_resent;
    /** Bytes a second, over the last seconds; 0 while nothing is sent. */
    uint64_t rate_bytes_per_s;
    /** How long the rest will take at that rate, in milliseconds; PARTWAY_NONE: it can't be said. */
    uint64_t eta_ms;
    /** Parts that the service has for certain. */
    uint32_t parts_done;
    /** Parts in all. */
    uint32_t parts_total;
    /** Requests of this run. */
    uint64_t requests;
    /** Failures of this run that led to another try. */
    uint64_t retries;
} partway_snapshot_t;

/** Why an upload does not move, and what would move it. Free it with partway_explanation_free. */
typedef struct partway_explanation_t {
    /** Its size in the library; fields beyond it are not there. */
    size_t struct_size;
    /** Where it stands, PARTWAY_STATE_…. */
    uint32_t state;
    /** What a person should do, PARTWAY_REMEDY_…. */
    uint32_t remedy;
    /** Everything that holds it, the first one first, each PARTWAY_WAITING_…: when that is gone the next one does. */
    const uint32_t *blocked_by;
    /** How many. */
    size_t blocked_by_count;
    /** Failures in a row that led here. */
    uint32_t attempts;
    /** How many more are tried before help is needed. */
    uint32_t retries_left;
    /** Since when, by the device's clock, in milliseconds since 1970. */
    int64_t since_unix_ms;
    /** When it is tried again without anybody's help, in milliseconds; PARTWAY_NONE: not by itself. */
    uint64_t next_try_ms;
    /** In one sentence, for developers. */
    struct partway_text_t text;
} partway_explanation_t;

/** A part that the service has. */
typedef struct partway_listed_part_t {
    /** From 1. */
    uint32_t part_number;
    /** Not used. */
    uint32_t reserved;
    /** Its size there. */
    uint64_t size_bytes;
    /** MD5 of its content, lower-case hex, when the service's tag is one. */
    struct partway_text_t md5;
} partway_listed_part_t;

/** What a service tells of an upload, for people and for support. Free it with partway_remote_task_free. */
typedef struct partway_remote_task_t {
    /** Its size in the library; fields beyond it are not there. */
    size_t struct_size;
    /** 1: the object was made; 0: it was not; -1: the service does not say. */
    int32_t complete;
    /** Not used. */
    uint32_t reserved;
    /** When it was begun, by the service's clock, in milliseconds since 1970; 0: the service does not say. */
    int64_t created_unix_ms;
    /** The service's own word for the kind of file. */
    struct partway_text_t kind;
    /** The service's own word for what happens when the name is taken. */
    struct partway_text_t conflict_strategy;
    /** Where the object is or will be, the name last; NULL when the service gives none. */
    const struct partway_text_t *path;
    /** How many names the path has. */
    size_t path_count;
    /** The object's size, where it is told of a finished one; PARTWAY_NONE: it is not. */
    uint64_t size_bytes;
    /** SHA-256 of the content, lower-case hex. */
    struct partway_text_t sha256;
    /** The parts that the service has, by number; NULL when it does not list them. */
    const struct partway_listed_part_t *parts;
    /** How many. */
    size_t parts_count;
    /** The service's id of the request. */
    struct partway_text_t request_id;
} partway_remote_task_t;

/** How a call ended: PARTWAY_OK, PARTWAY_TIMED_OUT, or the number of an error, PARTWAY_ERROR_…. */
typedef uint32_t partway_status_t;

/**
 * Reads a source that is no file. Set struct_size to sizeof(partway_reader_t). It is copied; what context points to must live until release is called.
 *
 * The functions are called on threads of the library, and within your own calls where these ask for what the reader has: length in partway_client_start and
 * partway_client_start_all, length and read_at in partway_source_digest. They may block, and the call with them. They must not call the library, throw,
 * longjmp or end the thread. They return PARTWAY_OK, or one of PARTWAY_ERROR_SOURCE_…; any other number counts as PARTWAY_ERROR_SOURCE_UNREADABLE.
 */
typedef struct partway_reader_t {
    /** sizeof(partway_reader_t). */
    size_t struct_size;
    /** Given to each function. */
    void *context;
    /**
     * Called once, after the last call of any other function, when nothing of the library holds the context any more: on any thread, also within the call of
     * yours that lets go of it, such as partway_source_free, partway_request_free or partway_request_set_source. It may free, and calls nothing else.
     */
    void (*release)(void *context);
    /** The whole length in bytes, now. */
    partway_status_t (*length)(void *context, uint64_t *out_length);
    /**
     * Fills the beginning of buffer from offset and says how much. Fewer bytes than size are normal; 0 means that the source has become shorter than
     * its length. The same offset may be asked for again.
     */
    partway_status_t (*read_at)(void *context, uint64_t offset, uint8_t *buffer, size_t size, size_t *out_count);
    /** Not 0: several threads may read at once; else they wait for each other. */
    uint32_t concurrent;
    /** Not used: 0. */
    uint32_t reserved;
} partway_reader_t;

/** A state of SHA-256 at the beginning of a part. */
typedef struct partway_midstate_t {
    /** From 2: part 1 begins with no state. */
    uint32_t part_number;
    /** Not used. */
    uint32_t reserved;
    /** Of the part's first byte. */
    uint64_t offset;
    /** The eight words. */
    uint32_t h[8];
} partway_midstate_t;

/** The digests of a source. Free it with partway_digests_free. */
typedef struct partway_digests_t {
    /** Its size in the library; fields beyond it are not there. */
    size_t struct_size;
    /** Of the source. */
    uint64_t size_bytes;
    /** SMH's digest of the first MiB; NULL inside below 1 MiB. */
    struct partway_text_t beginning_hash;
    /** SMH's chained digest; NULL inside below 1 MiB. */
    struct partway_text_t full_hash;
    /** SHA-256, lower-case hex. */
    struct partway_text_t sha256;
    /** CRC-64/XZ, decimal. */
    struct partway_text_t crc64;
    /** One for each part but the first; none without a part size. */
    const struct partway_midstate_t *midstates;
    /** How many. */
    size_t midstates_count;
    /** KooDrive's digest of the beginning, lower-case hex. */
    struct partway_text_t pre_hash;
} partway_digests_t;

/** What to send. It holds secrets: never log it. Found in a call. */
typedef struct partway_http_request_t {
    /** Its size in the library; fields beyond it are not there. */
    size_t struct_size;
    /** GET, HEAD, POST, PUT or DELETE. */
    struct partway_text_t method;
    /** To be used byte for byte: a signature covers it. */
    struct partway_text_t url;
    /** In their order. Host, Content-Length and User-Agent are not among them. */
    const struct partway_pair_t *headers;
    /** How many. */
    size_t headers_count;
    /** The Content-Length; 0 without a body. */
    uint64_t body_bytes;
    /** A longer answer will be refused: no need to take more of it. */
    uint64_t answer_bytes_max;
    /** The longest silence: nothing read of the body, nothing told as sent, no answer. */
    uint64_t patience_ms;
    /** True: "Expect: 100-continue" would help, because the last try of this body was cut. */
    bool expect_continue;
    /** Not used. */
    uint8_t reserved[7];
} partway_http_request_t;

/** Where the bytes of a body lie in a file. */
typedef struct partway_body_range_t {
    /** sizeof(partway_body_range_t). */
    size_t struct_size;
    /** A descriptor that stays the library's, open until the call is freed. Its position is not to be used or moved: pread, mmap. */
    int32_t fd;
    /** Not used. */
    uint32_t reserved;
    /** Of the first byte, from the beginning of the file. */
    uint64_t offset;
    /** How many bytes. */
    uint64_t size_bytes;
} partway_body_range_t;

/** Bounds of a client. Set struct_size to sizeof(partway_limits_t); 0 elsewhere is the default. */
typedef struct partway_limits_t {
    /** sizeof(partway_limits_t). */
    size_t struct_size;
    /** Uploads that work at once; 2 by default. */
    uint32_t parallel_uploads;
    /** Parts that are sent at once, over all uploads; 3 by default. */
    uint32_t parallel_parts;
    /** Bytes a second, over all uploads; no limit by default. */
    uint64_t rate_bytes_per_s;
    /** What connections and reads may take; no limit of its own by default. Fewer parts go at once where it does not reach for all. */
    uint64_t memory_bytes;
    /** Sources that are open at once; as many as uploads work by default. */
    uint32_t open_sources;
    /** Not used: 0. */
    uint32_t reserved;
} partway_limits_t;

/** What you know of the network. Set struct_size to sizeof(partway_network_t). */
typedef struct partway_network_t {
    /** sizeof(partway_network_t). */
    size_t struct_size;
    /** PARTWAY_NETWORK_…. */
    uint32_t state;
    /** Not 0: its bytes cost something. */
    uint32_t metered;
    /** Not 0: it is a foreign operator's. */
    uint32_t roaming;
    /** Not used: 0. */
    uint32_t reserved;
    /** Grows when the path changed: connections of the old one are dropped, waits end. */
    uint64_t generation;
    /** The system's own number of a network that is not the default one; 0: none. Kept, and not used on any platform yet. */
    uint64_t bind_handle;
} partway_network_t;

/** What a scheduler needs to know. Set struct_size to sizeof(partway_idle_t) where you want one filled. */
typedef struct partway_idle_t {
    /** sizeof(partway_idle_t). */
    size_t struct_size;
    /** Uploads that work, or will by themselves soon. */
    uint32_t active;
    /** Uploads in line. */
    uint32_t queued;
    /** Uploads that only you or a person can move. */
    uint32_t waiting_for_person;
    /** The mildest network that would let something go on by itself, PARTWAY_NETWORK_POLICY_…: what a scheduler should ask for. */
    uint32_t wants;
    /** What is left to send of all that are not ended, as far as it is known. */
    uint64_t bytes_remaining;
    /** When something will be tried again, at the earliest, in milliseconds from now; PARTWAY_NONE: nothing will. */
    uint64_t next_wake_ms;
    /** 1: nothing works, and no upload has a lock or a connection; else 0. */
    uint32_t at_rest;
    /** Not used. */
    uint32_t reserved;
} partway_idle_t;

/**
 * What you give to a client. Set struct_size to sizeof(partway_host_t), and what you do not provide to NULL. It is copied; what context points to must live
 * until release is called.
 *
 * All functions but on_log are called on one thread of the library, in order, none of them within a call of yours. They may call the library, and free what
 * it gave them; a time-out counts as 0 there, and partway_upload_look_remote is refused. They must not throw, longjmp or end the thread. One that takes long
 * delays the others and nothing else.
 */
typedef struct partway_host_t {
    /** sizeof(partway_host_t). */
    size_t struct_size;
    /** Given to each function. */
    void *context;
    /**
     * Called once, after the last call of any other function, when nothing of the library holds the context any more: on any thread, also within the call of
     * yours that lets go of it, such as partway_config_free, partway_config_set_host or partway_client_free. It may free, and calls nothing else.
     */
    void (*release)(void *context);
    /**
     * These uploads changed. Of one upload the latest wins, but no change of state is skipped; at most ten calls a second. The first call is the
     * present. The snapshots are valid during the call; keep one with partway_snapshot_copy.
     */
    void (*on_changes)(void *context, const struct partway_snapshot_t *const *snapshots, size_t count);
    /** Nothing works any more. Valid during the call. */
    void (*on_idle)(void *context, const struct partway_idle_t *idle);
    /**
     * A credential is needed. The ask is yours: answer it here or later, from any thread, and free it. One ask an account at a time. Without this
     * function uploads wait for partway_client_set_token.
     */
    void (*on_credential)(void *context, struct partway_credential_ask_t *ask);
    /**
     * A source must be opened again. The ask is yours: answer it here or later, from any thread, and free it. Without this function uploads wait for
     * partway_upload_attach_source.
     */
    void (*on_source)(void *context, struct partway_source_ask_t *ask);
    /**
     * A request is to be signed, for credentials whose secret stays with you (partway_credential_ask_supply_app_signer). The ask is yours: answer it here
     * or later, from any thread, and free it.
     */
    void (*on_sign)(void *context, struct partway_sign_ask_t *ask);
    /**
     * A line for your log: how much it matters, PARTWAY_LOG_…, the part of the library that speaks, and the line, without its end. Valid during the call.
     * It holds no token, URL, path, name, key or tag. Called on a thread of its own, in order; while it blocks, later lines are dropped and counted.
     */
    void (*on_log)(void *context, uint32_t level, struct partway_text_t target, struct partway_text_t line);
    /**
     * The uploads of these ids were forgotten, on demand, by a retry or by their age: after the last of their changes, and nothing of them follows. Valid
     * during the call.
     */
    void (*on_forgotten)(void *context, const struct partway_text_t *ids, size_t count);
} partway_host_t;

/**
 * Carries requests in the place of the library. Set struct_size to sizeof(partway_transport_t). It is copied; what context points to must live until
 * release is called.
 *
 * It uses the URL as it is, byte for byte, and the headers as they are; Host, Content-Length (exactly the body's length, never chunked) and User-Agent are
 * its own. It follows no redirect, keeps no cache and no cookies, and sends nothing again on its own. Any status is an answer, also one that comes
 * before the whole body was sent. It must not throw, longjmp or end the thread.
 */
typedef struct partway_transport_t {
    /** sizeof(partway_transport_t). */
    size_t struct_size;
    /** Given to each function. */
    void *context;
    /**
     * Called once, after the last call of any other function has returned, when nothing of the library holds the context any more: on any thread, also within
     * the call of yours that lets go of it, such as partway_config_free, partway_config_set_transport or partway_client_free. It may free, and calls nothing
     * else. What execute uses beside the context must live until then too.
     */
    void (*release)(void *context);
    /**
     * Carries one request. The call is yours: answer it here or later, from any thread, once, and free it. Called on threads of its own, several at
     * once, never within a call of yours; it may block. It may call the library: a time-out counts as 0 there, and partway_upload_look_remote is refused.
     * A call that is silent for as long as its request has patience is over; one that is freed unanswered counts as a connection that broke.
     */
    void (*execute)(void *context, struct partway_call_t *call);
} partway_transport_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Frees a text. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_string_free(struct partway_string_t *string);

/**
 * The version of the interface that the library has: compare it with PARTWAY_ABI_VERSION, which is the one that your program was built with. A library
 * with a smaller one lacks functions.
 *
 * Threads: any. Never blocks.
 */
uint32_t partway_abi_version(void);

/**
 * The version of the library, such as "0.1.0".
 *
 * Memory: static, NUL-terminated. Threads: any. Never blocks.
 */
const char *partway_library_version(void);

/**
 * Frees an error. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_error_free(struct partway_error_t *error);

/**
 * What an error number means, in one English sentence for developers; NULL for a number that this version does not know.
 *
 * Memory: static, NUL-terminated. Threads: any. Never blocks.
 */
const char *partway_error_meaning(uint32_t code);

/**
 * The stable name of an error number, such as quota_exceeded; NULL for a number that this version does not know.
 *
 * Memory: static, NUL-terminated. Threads: any. Never blocks.
 */
const char *partway_error_name(uint32_t code);

/**
 * The word for a state, such as waiting.
 *
 * Memory: static, NUL-terminated, never NULL. Threads: any. Never blocks.
 */
const char *partway_state_name(uint32_t state);

/**
 * The word for a phase, such as uploading.
 *
 * Memory: static, NUL-terminated, never NULL. Threads: any. Never blocks.
 */
const char *partway_phase_name(uint32_t phase);

/**
 * The word for what is waited for, such as credential.
 *
 * Memory: static, NUL-terminated, never NULL. Threads: any. Never blocks.
 */
const char *partway_waiting_name(uint32_t reason);

/**
 * The word for a remedy, such as free_cloud_space: a key for your translations.
 *
 * Memory: static, NUL-terminated, never NULL. Threads: any. Never blocks.
 */
const char *partway_remedy_name(uint32_t remedy);

/**
 * Keeps a snapshot beyond the callback or the list that it was found in. Nothing is copied.
 *
 * Memory: free the result with partway_snapshot_free; NULL gives NULL. Threads: any. Never blocks.
 */
struct partway_snapshot_t *partway_snapshot_copy(const struct partway_snapshot_t *snapshot);

/**
 * Frees a snapshot that was given to you, not one that you found in a callback or a list. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_snapshot_free(struct partway_snapshot_t *snapshot);

/**
 * True once the upload has its one ending: completed, failed or cancelled. False for NULL.
 *
 * Threads: any. Never blocks.
 */
bool partway_snapshot_ended(const struct partway_snapshot_t *snapshot);

/**
 * How many snapshots a list has; 0 for NULL.
 *
 * Threads: any. Never blocks.
 */
size_t partway_list_count(const struct partway_list_t *list);

/**
 * One snapshot of a list, from 0; NULL beyond its end.
 *
 * Memory: valid until the list is freed; keep it longer with partway_snapshot_copy. Threads: any. Never blocks.
 */
const struct partway_snapshot_t *partway_list_at(const struct partway_list_t *list, size_t index);

/**
 * Frees a list with its snapshots. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_list_free(struct partway_list_t *list);

/**
 * Frees an explanation. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_explanation_free(struct partway_explanation_t *explanation);

/**
 * Frees a task. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_remote_task_free(struct partway_remote_task_t *task);

/**
 * A regular file. It is opened when its turn comes. With delete_at_end it is a copy that was made for this upload, and is removed at its end, also
 * after a kill.
 *
 * Memory: the path is copied; free the source with partway_source_free. Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_source_new_path(const char *path,
                                         size_t path_len,
                                         bool delete_at_end,
                                         struct partway_source_t **out_source,
                                         struct partway_error_t **out_error);

/**
 * A regular file that you opened, or a range of it: size_bytes from offset, or all to its end with PARTWAY_NONE. Its own position is neither used nor
 * moved. It does not outlive the process: after a kill you are asked. owned: the descriptor is the library's once this call returned PARTWAY_OK; else it is
 * duplicated and stays yours. Something that can't be read from the middle, such as a pipe, is refused at the start: PARTWAY_ERROR_SOURCE_NOT_SEEKABLE.
 *
 * Memory: free the source with partway_source_free. Threads: any. Never blocks. Errors: invalid_argument, source_unreadable.
 */
partway_status_t partway_source_new_fd(int32_t fd,
                                       bool owned,
                                       uint64_t offset,
                                       uint64_t size_bytes,
                                       struct partway_source_t **out_source,
                                       struct partway_error_t **out_error);

/**
 * Bytes in memory, at most 8 MiB. They do not outlive the process: after a kill you are asked.
 *
 * Memory: the bytes are copied; free the source with partway_source_free. Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_source_new_memory(const uint8_t *data,
                                           size_t size,
                                           struct partway_source_t **out_source,
                                           struct partway_error_t **out_error);

/**
 * Bytes that you read. The reader does not outlive the process: after a kill you are asked.
 *
 * Memory: the table is copied. Its release is called when nothing needs the reader any more, but never when this call fails. Free the source with
 * partway_source_free. Threads: any. Never blocks. Errors: invalid_argument; unsupported for a table of a later version that uses more than this one.
 */
partway_status_t partway_source_new_reader(const struct partway_reader_t *reader,
                                           struct partway_source_t **out_source,
                                           struct partway_error_t **out_error);

/**
 * Nothing yet: on_source is called when the upload's turn comes. Give it a token.
 *
 * Memory: free the source with partway_source_free. Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_source_new_later(struct partway_source_t **out_source, struct partway_error_t **out_error);

/**
 * Your own word for the source, any bytes, at most 16 KiB: a URI, a bookmark, an id. It comes back when the source must be opened again; it is kept on
 * disk and never logged.
 *
 * Memory: the bytes are copied. Threads: nothing else may use the source meanwhile. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_source_set_token(struct partway_source_t *source,
                                          const uint8_t *token,
                                          size_t token_len,
                                          struct partway_error_t **out_error);

/**
 * Frees a source. Uploads that it was given to keep what they need. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_source_free(struct partway_source_t *source);

/**
 * Reads a source once: its digests and, unless part_size_bytes is PARTWAY_NONE, the states of SHA-256 at each multiple of it, itself one of 64.
 *
 * Blocks until it is read. Memory: the source stays yours; free the digests with partway_digests_free. Threads: any but the main one.
 * Errors: invalid_argument; source_changed when it changes meanwhile, and others of the category source.
 */
partway_status_t partway_source_digest(const struct partway_source_t *source,
                                       uint64_t part_size_bytes,
                                       struct partway_digests_t **out_digests,
                                       struct partway_error_t **out_error);

/**
 * Frees digests. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_digests_free(struct partway_digests_t *digests);

/**
 * A request to one service, PARTWAY_SERVICE_….
 *
 * Memory: free it with partway_request_free. Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_request_new(uint32_t service,
                                     struct partway_request_t **out_request,
                                     struct partway_error_t **out_error);

/**
 * Sets a field that is a text. NULL is none.
 *
 * Memory: the text is copied. Threads: nothing else may use the request meanwhile. Never blocks.
 * Errors: invalid_argument; unsupported for a field that is not known, not a text, or not one of this service.
 */
partway_status_t partway_request_set_text(struct partway_request_t *request,
                                          uint32_t field,
                                          const char *data,
                                          size_t len,
                                          struct partway_error_t **out_error);

/**
 * Sets a field that is a number, a word of a list, or yes (not 0) and no (0).
 *
 * Threads: nothing else may use the request meanwhile. Never blocks.
 * Errors: invalid_argument; unsupported for a field that is not known, not a number, or not one of this service.
 */
partway_status_t partway_request_set_number(struct partway_request_t *request,
                                            uint32_t field,
                                            int64_t number,
                                            struct partway_error_t **out_error);

/**
 * Adds a name and its value to a field that has several.
 *
 * Memory: both are copied. Threads: nothing else may use the request meanwhile. Never blocks.
 * Errors: invalid_argument; unsupported for a field that is not known, has no pairs, or is not one of this service.
 */
partway_status_t partway_request_add_pair(struct partway_request_t *request,
                                          uint32_t field,
                                          const char *name,
                                          size_t name_len,
                                          const char *value,
                                          size_t value_len,
                                          struct partway_error_t **out_error);

/**
 * Sets what to upload.
 *
 * Memory: the source stays yours. Threads: nothing else may use the request meanwhile. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_request_set_source(struct partway_request_t *request,
                                            const struct partway_source_t *source,
                                            struct partway_error_t **out_error);

/**
 * Frees a request. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_request_free(struct partway_request_t *request);

/**
 * A change of nothing yet; never NULL.
 *
 * Memory: free it with partway_change_free. Threads: any. Never blocks.
 */
struct partway_change_t *partway_change_new(void);

/**
 * Sets a field that is a number or a word of a list.
 *
 * Threads: nothing else may use the change meanwhile. Never blocks. Errors: invalid_argument; unsupported for a field that is not known or no number.
 */
partway_status_t partway_change_set_number(struct partway_change_t *change,
                                           uint32_t field,
                                           int64_t number,
                                           struct partway_error_t **out_error);

/**
 * Sets a field that is a text. NULL is none.
 *
 * Memory: the text is copied. Threads: nothing else may use the change meanwhile. Never blocks.
 * Errors: invalid_argument; unsupported for a field that is not known or no text.
 */
partway_status_t partway_change_set_text(struct partway_change_t *change,
                                         uint32_t field,
                                         const char *data,
                                         size_t len,
                                         struct partway_error_t **out_error);

/**
 * Frees a change. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_change_free(struct partway_change_t *change);

/**
 * Whose credential it is; NULL inside for NULL.
 *
 * Memory: valid until the ask is freed. Threads: any. Never blocks.
 */
struct partway_text_t partway_credential_ask_account(const struct partway_credential_ask_t *ask);

/**
 * For which service, PARTWAY_SERVICE_…; 0 for NULL.
 *
 * Threads: any. Never blocks.
 */
uint32_t partway_credential_ask_service(const struct partway_credential_ask_t *ask);

/**
 * Why, PARTWAY_WHY_…; 0 for NULL. After a refusal the same credential once more is no answer.
 *
 * Threads: any. Never blocks.
 */
uint32_t partway_credential_ask_why(const struct partway_credential_ask_t *ask);

/**
 * Answers with a token. SMH: the access token. KooDrive: the whole Authorization value, such as "Bearer …". expires_in_ms: how
 * long it will do from now, so that you are asked for the next one in time; PARTWAY_NONE: you do not know.
 *
 * Memory: the token is copied, and wiped when it is not needed any more. Threads: any. Never blocks.
 * Errors: invalid_argument; wrong_state when the ask is answered already.
 */
partway_status_t partway_credential_ask_supply_token(const struct partway_credential_ask_t *ask,
                                                     const char *token,
                                                     size_t token_len,
                                                     uint64_t expires_in_ms,
                                                     struct partway_error_t **out_error);

/**
 * Answers with KooDrive's application authentication. For servers and desktops: an application secret inside an app is no secret.
 *
 * Memory: all is copied. Threads: any. Never blocks. Errors: as partway_credential_ask_supply_token.
 */
partway_status_t partway_credential_ask_supply_app_key(const struct partway_credential_ask_t *ask,
                                                       const char *app_id,
                                                       size_t app_id_len,
                                                       const char *app_secret,
                                                       size_t app_secret_len,
                                                       const char *user_id,
                                                       size_t user_id_len,
                                                       struct partway_error_t **out_error);

/**
 * Answers with KooDrive's application authentication where the secret stays with you: on_sign is asked for every request.
 *
 * Memory: all is copied. Threads: any. Never blocks. Errors: as partway_credential_ask_supply_token.
 */
partway_status_t partway_credential_ask_supply_app_signer(const struct partway_credential_ask_t *ask,
                                                          const char *app_id,
                                                          size_t app_id_len,
                                                          const char *user_id,
                                                          size_t user_id_len,
                                                          struct partway_error_t **out_error);

/**
 * Answers "not now": the uploads of the account wait, to be asked for again after retry_in_ms, or, with PARTWAY_NONE, until partway_client_set_token or a
 * resume.
 *
 * Threads: any. Never blocks. Errors: as partway_credential_ask_supply_token.
 */
partway_status_t partway_credential_ask_later(const struct partway_credential_ask_t *ask,
                                              uint64_t retry_in_ms,
                                              struct partway_error_t **out_error);

/**
 * Answers that nobody is signed in to that account: as partway_client_sign_out with PARTWAY_SIGN_OUT_HOLD.
 *
 * Threads: any. Never blocks. Errors: as partway_credential_ask_supply_token.
 */
partway_status_t partway_credential_ask_signed_out(const struct partway_credential_ask_t *ask,
                                                   struct partway_error_t **out_error);

/**
 * Frees an ask; without an answer it counts as "not now". NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_credential_ask_free(struct partway_credential_ask_t *ask);

/**
 * The id of the upload; NULL inside for NULL.
 *
 * Memory: valid until the ask is freed. Threads: any. Never blocks.
 */
struct partway_text_t partway_source_ask_upload_id(const struct partway_source_ask_t *ask);

/**
 * Your own name for the upload; NULL inside for NULL.
 *
 * Memory: valid until the ask is freed. Threads: any. Never blocks.
 */
struct partway_text_t partway_source_ask_key(const struct partway_source_ask_t *ask);

/**
 * Your own word for the source, any bytes, as partway_source_set_token was given them; NULL inside for NULL.
 *
 * Memory: valid until the ask is freed. Threads: any. Never blocks.
 */
struct partway_text_t partway_source_ask_token(const struct partway_source_ask_t *ask);

/**
 * Your own notes of the upload; *out_count receives how many. NULL for NULL.
 *
 * Memory: valid until the ask is freed. Threads: any. Never blocks.
 */
const struct partway_pair_t *partway_source_ask_tags(const struct partway_source_ask_t *ask, size_t *out_count);

/**
 * Why it could not be opened without you; NULL for NULL.
 *
 * Memory: valid until the ask is freed; not to be freed by itself. Threads: any. Never blocks.
 */
const struct partway_error_t *partway_source_ask_why(const struct partway_source_ask_t *ask);

/**
 * Answers with a source. Another file with the same bytes goes on where the upload was.
 *
 * Memory: the source stays yours. Threads: any. Never blocks.
 * Errors: invalid_argument; wrong_state when the ask is answered already.
 */
partway_status_t partway_source_ask_supply(const struct partway_source_ask_t *ask,
                                           const struct partway_source_t *source,
                                           struct partway_error_t **out_error);

/**
 * Says, before the answer, that it comes, such as from the cloud: so much of it is here, 0 to 1. Shown in snapshots; you have another 60 seconds.
 *
 * Threads: any. Never blocks. Errors: as partway_source_ask_supply.
 */
partway_status_t partway_source_ask_preparing(const struct partway_source_ask_t *ask,
                                              double fraction,
                                              struct partway_error_t **out_error);

/**
 * Answers "not now": the upload waits, to be asked for again after retry_in_ms, or, with PARTWAY_NONE, until partway_upload_attach_source or a resume.
 *
 * Threads: any. Never blocks. Errors: as partway_source_ask_supply.
 */
partway_status_t partway_source_ask_later(const struct partway_source_ask_t *ask,
                                          uint64_t retry_in_ms,
                                          struct partway_error_t **out_error);

/**
 * Answers that it can't be had: the upload waits for partway_upload_attach_source or a resume.
 *
 * Threads: any. Never blocks. Errors: as partway_source_ask_supply.
 */
partway_status_t partway_source_ask_gone(const struct partway_source_ask_t *ask, struct partway_error_t **out_error);

/**
 * Frees an ask; without an answer it counts as "gone". NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_source_ask_free(struct partway_source_ask_t *ask);

/**
 * Whose account it is; NULL inside for NULL.
 *
 * Memory: valid until the ask is freed. Threads: any. Never blocks.
 */
struct partway_text_t partway_sign_ask_account(const struct partway_sign_ask_t *ask);

/**
 * For which service, PARTWAY_SERVICE_…; 0 for NULL.
 *
 * Threads: any. Never blocks.
 */
uint32_t partway_sign_ask_service(const struct partway_sign_ask_t *ask);

/**
 * In which application's name; NULL inside for NULL.
 *
 * Memory: valid until the ask is freed. Threads: any. Never blocks.
 */
struct partway_text_t partway_sign_ask_app_id(const struct partway_sign_ask_t *ask);

/**
 * The request in its canonical form, for a signer that wants to see what it signs; it names the user. NULL inside for NULL.
 *
 * Memory: valid until the ask is freed. Threads: any. Never blocks.
 */
struct partway_text_t partway_sign_ask_canonical_request(const struct partway_sign_ask_t *ask);

/**
 * What the application's secret is applied to. KooDrive: the signature is the lower-case hex of HMAC-SHA256 over these bytes, the secret being the key.
 * NULL inside for NULL.
 *
 * Memory: valid until the ask is freed. Threads: any. Never blocks.
 */
struct partway_text_t partway_sign_ask_string_to_sign(const struct partway_sign_ask_t *ask);

/**
 * Answers with the signature, as it goes into the header: 1 to 1,024 visible ASCII characters without a comma.
 *
 * Memory: copied. Threads: any. Never blocks. Errors: invalid_argument; wrong_state when the ask is answered already.
 */
partway_status_t partway_sign_ask_supply(const struct partway_sign_ask_t *ask,
                                         const char *signature,
                                         size_t signature_len,
                                         struct partway_error_t **out_error);

/**
 * Answers that it is not signed: the upload waits for a credential.
 *
 * Threads: any. Never blocks. Errors: as partway_sign_ask_supply.
 */
partway_status_t partway_sign_ask_refuse(const struct partway_sign_ask_t *ask, struct partway_error_t **out_error);

/**
 * Frees an ask; without an answer it counts as refused. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_sign_ask_free(struct partway_sign_ask_t *ask);

/**
 * What to send; NULL for NULL.
 *
 * Memory: valid until the call is freed. Threads: any. Never blocks.
 */
const struct partway_http_request_t *partway_call_request(const struct partway_call_t *call);

/**
 * Reads the next bytes of the body: at most size, at most 256 KiB; *out_count is 0 at its end.
 *
 * Blocks until the source and the byte rate give some; several wait for each other. Threads: any but the main one, that of execute too.
 * Errors: invalid_argument; cancelled and others when the call is over: there is nothing left to answer then.
 */
partway_status_t partway_call_read_body(const struct partway_call_t *call,
                                        uint8_t *buffer,
                                        size_t size,
                                        size_t *out_count,
                                        struct partway_error_t **out_error);

/**
 * Back to the first byte, for a body that must be sent once more.
 *
 * Blocks until the library's worker, which may be reading the source, has done it. Threads: any but the main one, that of execute too.
 * Errors: invalid_argument; cancelled and others when the call is over.
 */
partway_status_t partway_call_rewind_body(const struct partway_call_t *call,
                                          struct partway_error_t **out_error);

/**
 * Where the bytes of the body lie, when they are those of a file and nothing limits their rate: you may read them there instead, and then say with
 * partway_call_sent how far you are. False: read them with partway_call_read_body.
 *
 * Blocks until the library's worker has answered. Threads: any but the main one, that of execute too.
 */
bool partway_call_body_range(const struct partway_call_t *call,
                             struct partway_body_range_t *out_range);

/**
 * So many bytes of the body, from its first one, are on their way. Only needed of bodies that you read from their range.
 *
 * Threads: any. Never blocks.
 */
void partway_call_sent(const struct partway_call_t *call,
                       uint64_t bytes);

/**
 * True once nobody wants the answer any more; also for NULL.
 *
 * Threads: any. Never blocks.
 */
bool partway_call_is_cancelled(const struct partway_call_t *call);

/**
 * What to do at the moment when nobody wants the answer any more; a later hook replaces an earlier one. It comes on a thread of the library, or within
 * partway_upload_look_remote where the call is one of that, or within this call when that moment is past. It must not block, and calls nothing of the
 * library. release may be NULL; else it is called once, in the same places: after the hook ran, or when it is certain that it never will, unless this call
 * fails.
 *
 * Threads: any. Never blocks, beside what a hook and a release do that come within it. Errors: invalid_argument.
 */
partway_status_t partway_call_on_cancel(const struct partway_call_t *call,
                                        void (*hook)(void *context),
                                        void *context,
                                        void (*release)(void *context),
                                        struct partway_error_t **out_error);

/**
 * The answer: a status from 200 to 599, its headers, and its body without any transfer or content encoding. headers may be NULL when there are none.
 *
 * Memory: all is copied. Threads: any. Never blocks. Errors: invalid_argument; wrong_state when the call is answered already, or over.
 */
partway_status_t partway_call_respond(const struct partway_call_t *call,
                                      uint32_t status,
                                      const struct partway_pair_t *headers,
                                      size_t headers_count,
                                      const uint8_t *body,
                                      size_t body_size,
                                      struct partway_error_t **out_error);

/**
 * There is no answer: PARTWAY_FAULT_….
 *
 * Threads: any. Never blocks. Errors: invalid_argument; wrong_state when the call is answered already, or over.
 */
partway_status_t partway_call_fail(const struct partway_call_t *call,
                                   uint32_t fault,
                                   struct partway_error_t **out_error);

/**
 * Frees a call; without an answer it counts as a connection that broke. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_call_free(struct partway_call_t *call);

/**
 * A config with everything as by default; never NULL.
 *
 * Memory: free it with partway_config_free. Threads: any. Never blocks.
 */
struct partway_config_t *partway_config_new(void);

/**
 * Sets a field that is a text. NULL is none.
 *
 * Memory: the text is copied. Threads: nothing else may use the config meanwhile. Never blocks.
 * Errors: invalid_argument; unsupported for a field that is not known or no text.
 */
partway_status_t partway_config_set_text(struct partway_config_t *config,
                                         uint32_t field,
                                         const char *data,
                                         size_t len,
                                         struct partway_error_t **out_error);

/**
 * Sets a field that is a number, or yes (not 0) and no (0).
 *
 * Threads: nothing else may use the config meanwhile. Never blocks. Errors: unsupported for a field that is not known or no number.
 */
partway_status_t partway_config_set_number(struct partway_config_t *config,
                                           uint32_t field,
                                           int64_t number,
                                           struct partway_error_t **out_error);

/**
 * Sets the bounds to begin with; partway_client_set_limits changes them.
 *
 * Memory: copied. Threads: nothing else may use the config meanwhile. Never blocks. Errors: invalid_argument; unsupported.
 */
partway_status_t partway_config_set_limits(struct partway_config_t *config,
                                           const struct partway_limits_t *bounds,
                                           struct partway_error_t **out_error);

/**
 * Sets what you know of the network by now; partway_client_set_network changes it.
 *
 * Memory: copied. Threads: nothing else may use the config meanwhile. Never blocks. Errors: invalid_argument; unsupported.
 */
partway_status_t partway_config_set_network(struct partway_config_t *config,
                                            const struct partway_network_t *state,
                                            struct partway_error_t **out_error);

/**
 * Sets who is called back.
 *
 * Memory: the table is copied. Its release is called when neither this config nor a client holds the context any more, but never when this call fails.
 * Threads: nothing else may use the config meanwhile. Never blocks.
 * Errors: invalid_argument; unsupported for a table of a later version that uses more than this one.
 */
partway_status_t partway_config_set_host(struct partway_config_t *config,
                                         const struct partway_host_t *host,
                                         struct partway_error_t **out_error);

/**
 * Sets who carries requests in the place of the library.
 *
 * Memory: the table is copied. Its release is called when neither this config nor a client holds the context any more, but never when this call fails.
 * Threads: nothing else may use the config meanwhile. Never blocks.
 * Errors: invalid_argument; unsupported for a table of a later version that uses more than this one.
 */
partway_status_t partway_config_set_transport(struct partway_config_t *config,
                                              const struct partway_transport_t *transport,
                                              struct partway_error_t **out_error);

/**
 * Frees a config. Clients that were opened with it do not need it any more. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_config_free(struct partway_config_t *config);

/**
 * Opens the state directory, recovers what is in it and, unless told otherwise, goes on with it. A directory that this process has open already gives the
 * same client once more, as it is: nothing else of the config is looked at then, and its host's callbacks are not called.
 *
 * Blocks while the disk is read and written. Memory: the config stays yours; free the client with partway_client_free.
 * Threads: any but the main one. Errors: invalid_argument, state_dir_unusable and others; nothing is open then.
 */
partway_status_t partway_client_open(const struct partway_config_t *config,
                                     struct partway_client_t **out_client,
                                     struct partway_error_t **out_error);

/**
 * Ends the client well: as partway_client_hold, and nothing starts any more. When it returns PARTWAY_OK no callback runs any more either. Call
 * partway_client_free afterwards.
 *
 * Blocks until all is at rest or timeout_ms is over; in a callback it does not wait. Threads: any but the main one.
 * Returns PARTWAY_TIMED_OUT when something was cut off, or a callback has not returned; what is on disk is whole either way. Errors: invalid_argument.
 */
partway_status_t partway_client_close(const struct partway_client_t *client,
                                      uint64_t timeout_ms,
                                      struct partway_error_t **out_error);

/**
 * Frees a client. What is under way is cut off, nothing is cancelled, and the next client of this directory goes on with it. Uploads that you still hold
 * answer "closed" from then on, a partway_upload_wait that is under way too. No call with the client itself may be under way. NULL is nothing.
 *
 * Threads: any, in a callback too. Never blocks: callbacks may still be running when it returns; release tells you when the last one is over, and not before
 * then may you free what they use.
 */
void partway_client_free(struct partway_client_t *client);

/**
 * Starts an upload, or finds the one of that key; one that failed or was cancelled is begun again with what it had proven, as the request says now
 * (PARTWAY_HOW_CONTINUED; the old one is forgotten). What can be refused without a request to the service is refused here. When it returns PARTWAY_OK the
 * upload survives a kill.
 *
 * out_upload may be NULL; else free what it receives with partway_upload_free, which never touches the upload itself.
 * out_how may be NULL; else it receives PARTWAY_HOW_….
 *
 * Blocks while the disk is written; the length of a source that you read is asked for within this call (partway_reader_t). Memory: the request stays yours.
 * Threads: any but the main one. Errors: invalid_argument and others of the categories usage, source and state; closed. Nothing was started then.
 */
partway_status_t partway_client_start(const struct partway_client_t *client,
                                      const struct partway_request_t *request,
                                      struct partway_upload_t **out_upload,
                                      uint32_t *out_how,
                                      struct partway_error_t **out_error);

/**
 * Starts many uploads together: each journal is synced, their directory once for the lot. One that is refused harms no other.
 *
 * requests has count requests. out_uploads, out_hows and out_errors may be NULL; else each has room for count, and receives in each place the upload or
 * NULL, PARTWAY_HOW_… or 0, the error or NULL. Free uploads with partway_upload_free and errors with partway_error_free.
 *
 * Blocks while the disk is written; lengths are asked for as in partway_client_start. Memory: the requests stay yours. Threads: any but the main one.
 * Returns PARTWAY_OK when all were started. Errors: that of the first one that was not.
 */
partway_status_t partway_client_start_all(const struct partway_client_t *client,
                                          const struct partway_request_t *const *requests,
                                          size_t count,
                                          struct partway_upload_t **out_uploads,
                                          uint32_t *out_hows,
                                          struct partway_error_t **out_errors,
                                          struct partway_error_t **out_error);

/**
 * A reference to an upload that is known by its id.
 *
 * Memory: free it with partway_upload_free. Threads: any. Never blocks. Errors: invalid_argument; unknown_upload.
 */
partway_status_t partway_client_upload(const struct partway_client_t *client,
                                       const char *id,
                                       size_t id_len,
                                       struct partway_upload_t **out_upload,
                                       struct partway_error_t **out_error);

/**
 * The upload of a key, now.
 *
 * Memory: free the snapshot with partway_snapshot_free. Threads: any. Never blocks. Errors: invalid_argument; unknown_upload.
 */
partway_status_t partway_client_find(const struct partway_client_t *client,
                                     const char *key,
                                     size_t key_len,
                                     struct partway_snapshot_t **out_snapshot,
                                     struct partway_error_t **out_error);

/**
 * Those that fit, the oldest first, also those that ended and were not forgotten.
 *
 * Memory: free the list with partway_list_free. Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_client_list(const struct partway_client_t *client,
                                     uint32_t which,
                                     const char *which_text,
                                     size_t which_len,
                                     struct partway_list_t **out_list,
                                     struct partway_error_t **out_error);

/**
 * They stay until resumed, also over restarts; idempotent in every state. out_count may be NULL; else it receives how many were told.
 *
 * Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_client_pause(const struct partway_client_t *client,
                                      uint32_t which,
                                      const char *which_text,
                                      size_t which_len,
                                      uint32_t *out_count,
                                      struct partway_error_t **out_error);

/**
 * They go on; also "try now" for those that wait. out_count may be NULL; else it receives how many were told.
 *
 * Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_client_resume(const struct partway_client_t *client,
                                       uint32_t which,
                                       const char *which_text,
                                       size_t which_len,
                                       uint32_t *out_count,
                                       struct partway_error_t **out_error);

/**
 * They end; the ending tells what the service could undo. A cancel is a wish: an object that exists already makes the upload completed. out_count may be
 * NULL; else it receives how many were told.
 *
 * Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_client_cancel(const struct partway_client_t *client,
                                       uint32_t which,
                                       const char *which_text,
                                       size_t which_len,
                                       uint32_t *out_count,
                                       struct partway_error_t **out_error);

/**
 * "I have stored how they ended": removes those that ended, and leaves the others. out_count may be NULL; else it receives how many are gone.
 *
 * Blocks while the disk is written. Threads: any but the main one. Errors: invalid_argument.
 */
partway_status_t partway_client_forget(const struct partway_client_t *client,
                                       uint32_t which,
                                       const char *which_text,
                                       size_t which_len,
                                       uint32_t *out_count,
                                       struct partway_error_t **out_error);

/**
 * Changes what is set in the change. out_count may be NULL; else it receives how many were told.
 *
 * Memory: the change stays yours. Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_client_change(const struct partway_client_t *client,
                                       uint32_t which,
                                       const char *which_text,
                                       size_t which_len,
                                       const struct partway_change_t *change,
                                       uint32_t *out_count,
                                       struct partway_error_t **out_error);

/**
 * A token, unasked, such as after a log-in; ends the waits for it. expires_in_ms as in partway_credential_ask_supply_token.
 *
 * Memory: copied; the token is wiped when it is not needed any more. Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_client_set_token(const struct partway_client_t *client,
                                          const char *account,
                                          size_t account_len,
                                          const char *token,
                                          size_t token_len,
                                          uint64_t expires_in_ms,
                                          struct partway_error_t **out_error);

/**
 * KooDrive's application authentication, unasked; see partway_credential_ask_supply_app_key.
 *
 * Memory: copied. Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_client_set_app_key(const struct partway_client_t *client,
                                            const char *account,
                                            size_t account_len,
                                            const char *app_id,
                                            size_t app_id_len,
                                            const char *app_secret,
                                            size_t app_secret_len,
                                            const char *user_id,
                                            size_t user_id_len,
                                            struct partway_error_t **out_error);

/**
 * KooDrive's application authentication where the secret stays with you, unasked; see partway_credential_ask_supply_app_signer.
 *
 * Memory: copied. Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_client_set_app_signer(const struct partway_client_t *client,
                                               const char *account,
                                               size_t account_len,
                                               const char *app_id,
                                               size_t app_id_len,
                                               const char *user_id,
                                               size_t user_id_len,
                                               struct partway_error_t **out_error);

/**
 * Nobody is signed in to the account any more: before this returns its credential is wiped from where it was kept for further requests, nothing new
 * starts, and what is under way for it is told to end. A request that is on its way still carries the credential until it has ended, and the service may
 * still carry it out; partway_client_hold returns when none is left. Its uploads wait for the next credential that you set, or are cancelled:
 * PARTWAY_SIGN_OUT_….
 *
 * Blocks for up to a second while cancels are told to the service. Threads: any but the main one. Errors: invalid_argument.
 */
partway_status_t partway_client_sign_out(const struct partway_client_t *client,
                                         const char *account,
                                         size_t account_len,
                                         uint32_t then,
                                         struct partway_error_t **out_error);

/**
 * Another proxy, http://[user:password@]host:port, or none with NULL, for every connection from here on.
 *
 * Memory: copied. Threads: any. Never blocks. Errors: invalid_argument; unsupported when you carry the requests yourself.
 */
partway_status_t partway_client_set_proxy(const struct partway_client_t *client,
                                          const char *proxy,
                                          size_t proxy_len,
                                          struct partway_error_t **out_error);

/**
 * What you know of the network. An upload whose policy it breaks stops at once and waits.
 *
 * Memory: copied. Threads: any. Never blocks. Errors: invalid_argument; unsupported.
 */
partway_status_t partway_client_set_network(const struct partway_client_t *client,
                                            const struct partway_network_t *state,
                                            struct partway_error_t **out_error);

/**
 * New bounds: what begins from here on keeps to them, what is under way is not stopped. A rate holds at once.
 *
 * Memory: copied. Threads: any. Never blocks. Errors: invalid_argument; unsupported.
 */
partway_status_t partway_client_set_limits(const struct partway_client_t *client,
                                           const struct partway_limits_t *bounds,
                                           struct partway_error_t **out_error);

/**
 * Goes on after partway_client_hold, or after an open without autostart.
 *
 * Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_client_go(const struct partway_client_t *client, struct partway_error_t **out_error);

/**
 * Nothing is sent any more: when it returns PARTWAY_OK no request is in flight, all is durable, and no lock and no connection is held. For a system that is
 * about to stop the process. out_idle may be NULL; else it is filled.
 *
 * Blocks until then or until timeout_ms is over; in a callback it does not wait. Threads: any but the main one.
 * Returns PARTWAY_TIMED_OUT when something still works. Errors: invalid_argument.
 */
partway_status_t partway_client_hold(const struct partway_client_t *client,
                                     uint64_t timeout_ms,
                                     struct partway_idle_t *out_idle,
                                     struct partway_error_t **out_error);

/**
 * Waits until nothing works. out_idle may be NULL; else it is filled.
 *
 * Blocks until then or until timeout_ms is over; in a callback it does not wait. Threads: any but the main one.
 * Returns PARTWAY_TIMED_OUT when something still works. Errors: invalid_argument.
 */
partway_status_t partway_client_wait_idle(const struct partway_client_t *client,
                                          uint64_t timeout_ms,
                                          struct partway_idle_t *out_idle,
                                          struct partway_error_t **out_error);

/**
 * What a scheduler needs to know, now.
 *
 * Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_client_idle(const struct partway_client_t *client,
                                     struct partway_idle_t *out_idle,
                                     struct partway_error_t **out_error);

/**
 * How many journals could not be read at open; 0 for NULL. They were left as they are, or set aside; no other upload is harmed.
 *
 * Threads: any. Never blocks.
 */
size_t partway_client_problem_count(const struct partway_client_t *client);

/**
 * One of them, from 0: whose it is, and what is wrong. out_id may be NULL; else it has room for PARTWAY_ID_SIZE bytes and receives the id with a NUL.
 *
 * Memory: free out_problem with partway_error_free. Threads: any. Never blocks. Errors: invalid_argument.
 */
partway_status_t partway_client_problem(const struct partway_client_t *client,
                                        size_t index,
                                        char *out_id,
                                        struct partway_error_t **out_problem,
                                        struct partway_error_t **out_error);

/**
 * Frees the reference; the upload goes on. NULL is nothing.
 *
 * Threads: any. Never blocks.
 */
void partway_upload_free(struct partway_upload_t *upload);

/**
 * The id: 26 characters and a NUL. NULL for NULL.
 *
 * Memory: valid until the reference is freed. Threads: any. Never blocks.
 */
const char *partway_upload_id(const struct partway_upload_t *upload);

/**
 * The id of the upload whose proof this one took over: 26 characters and a NUL. That one is gone. NULL when the call that gave you this reference made
 * no upload of an older one (partway_client_start, partway_client_start_all or partway_upload_retry does: PARTWAY_HOW_CONTINUED), and for NULL.
 *
 * Memory: valid until the reference is freed. Threads: any. Never blocks.
 */
const char *partway_upload_continued_from(const struct partway_upload_t *upload);

/**
 * It stays until resumed, also over restarts; idempotent in every state.
 *
 * Threads: any. Never blocks. Errors: invalid_argument; closed.
 */
partway_status_t partway_upload_pause(const struct partway_upload_t *upload, struct partway_error_t **out_error);

/**
 * It goes on; also "try now" when it waits.
 *
 * Threads: any. Never blocks. Errors: invalid_argument; closed.
 */
partway_status_t partway_upload_resume(const struct partway_upload_t *upload, struct partway_error_t **out_error);

/**
 * It ends; the ending tells what the service could undo. A cancel is a wish: an object that exists already makes the upload completed.
 *
 * Threads: any. Never blocks. Errors: invalid_argument; closed.
 */
partway_status_t partway_upload_cancel(const struct partway_upload_t *upload,
                                       struct partway_error_t **out_error);

/**
 * "I have stored how it ended": removes it if it ended, and leaves it if it did not. out_gone may be NULL; else it receives which.
 *
 * Blocks while the disk is written. Threads: any but the main one. Errors: invalid_argument; closed.
 */
partway_status_t partway_upload_forget(const struct partway_upload_t *upload,
                                       bool *out_gone,
                                       struct partway_error_t **out_error);

/**
 * Changes what is set in the change.
 *
 * Memory: the change stays yours. Threads: any. Never blocks. Errors: invalid_argument; closed.
 */
partway_status_t partway_upload_change(const struct partway_upload_t *upload,
                                       const struct partway_change_t *change,
                                       struct partway_error_t **out_error);

/**
 * Answers an open conflict with one of its choices, PARTWAY_CHOICE_…. No byte is sent again.
 *
 * Threads: any. Never blocks. Errors: invalid_argument; closed; unknown_upload; wrong_state when there is no such choice now.
 */
partway_status_t partway_upload_answer_conflict(const struct partway_upload_t *upload,
                                                uint32_t choice,
                                                struct partway_error_t **out_error);

/**
 * Gives the upload its source again. The same bytes go on where it was.
 *
 * Memory: the source stays yours. Threads: any. Never blocks. Errors: invalid_argument; closed; unknown_upload.
 */
partway_status_t partway_upload_attach_source(const struct partway_upload_t *upload,
                                              const struct partway_source_t *source,
                                              struct partway_error_t **out_error);

/**
 * The upload, now.
 *
 * Memory: free the snapshot with partway_snapshot_free. Threads: any. Never blocks. Errors: invalid_argument; closed; unknown_upload.
 */
partway_status_t partway_upload_snapshot(const struct partway_upload_t *upload,
                                         struct partway_snapshot_t **out_snapshot,
                                         struct partway_error_t **out_error);

/**
 * Waits for the ending. out_snapshot may be NULL; else it receives the ending, or how things are when the time is over. To stop waiting never cancels.
 *
 * Blocks until then or until timeout_ms is over; in a callback it does not wait. Memory: free the snapshot with partway_snapshot_free.
 * Threads: any but the main one. Returns PARTWAY_TIMED_OUT when it has not ended. Errors: invalid_argument; closed; unknown_upload.
 */
partway_status_t partway_upload_wait(const struct partway_upload_t *upload,
                                     uint64_t timeout_ms,
                                     struct partway_snapshot_t **out_snapshot,
                                     struct partway_error_t **out_error);

/**
 * Waits for a snapshot that is newer than a revision; 0 for any. out_snapshot receives it, or how things are when the time is over.
 *
 * Blocks until then or until timeout_ms is over; in a callback it does not wait. Memory: free the snapshot with partway_snapshot_free.
 * Threads: any but the main one. Returns PARTWAY_TIMED_OUT when there is none. Errors: invalid_argument; closed; unknown_upload.
 */
partway_status_t partway_upload_wait_change(const struct partway_upload_t *upload,
                                            uint64_t revision,
                                            uint64_t timeout_ms,
                                            struct partway_snapshot_t **out_snapshot,
                                            struct partway_error_t **out_error);

/**
 * Begins a failed or cancelled upload again: a new id, the same key, everything that was proven. The old one is gone, as if it had been forgotten.
 *
 * Blocks while the disk is written. Memory: out_upload may be NULL; else free what it receives with partway_upload_free. Threads: any but the main one.
 * Errors: invalid_argument; closed; unknown_upload; wrong_state for any other upload.
 */
partway_status_t partway_upload_retry(const struct partway_upload_t *upload,
                                      struct partway_upload_t **out_upload,
                                      struct partway_error_t **out_error);

/**
 * What its journal says, in order, and where it stands: JSON for a bug report. It holds no name, path, key, tag, token, URL or handle of the service.
 *
 * Blocks while the disk is read. Memory: free the text with partway_string_free. Threads: any but the main one. Errors: invalid_argument; closed;
 * unknown_upload when there is no such upload or its journal can't be read now.
 */
partway_status_t partway_upload_timeline_json(const struct partway_upload_t *upload,
                                              struct partway_string_t **out_json,
                                              struct partway_error_t **out_error);

/**
 * Asks the service for its own view of the upload, in whatever state that is; nothing of the upload changes. out_look may be NULL; else it receives
 * PARTWAY_LOOK_…. *out_task is NULL unless that is PARTWAY_LOOK_FOUND.
 *
 * Blocks: for a credential, 60 seconds at most, and for up to three requests. Memory: free the task with partway_remote_task_free. Threads: any but the main
 * one; refused in a callback. Errors: invalid_argument; closed; unknown_upload; credential_refused; wrong_state in a callback; what the service or the way
 * to it refused.
 */
partway_status_t partway_upload_look_remote(const struct partway_upload_t *upload,
                                            uint32_t *out_look,
                                            struct partway_remote_task_t **out_task,
                                            struct partway_error_t **out_error);

/**
 * Why it does not move, when it is tried next, how often it was.
 *
 * Memory: free the explanation with partway_explanation_free. Threads: any. Never blocks. Errors: invalid_argument; closed; unknown_upload.
 */
partway_status_t partway_upload_explain(const struct partway_upload_t *upload,
                                        struct partway_explanation_t **out_explanation,
                                        struct partway_error_t **out_error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PARTWAY_H */
