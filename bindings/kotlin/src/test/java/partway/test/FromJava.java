package partway.test;

import java.io.File;
import java.util.Locale;
import kotlin.Unit;
import partway.Change;
import partway.ConflictChoice;
import partway.Credential;
import partway.PartwayClient;
import partway.Partway;
import partway.PartwayException;
import partway.Remedy;
import partway.RemediesKt;
import partway.Secret;
import partway.Select;
import partway.Source;
import partway.SourceWhat;
import partway.Upload;

/** A caller in Java, where only what a function says that it throws can be caught. Says what was caught, and what a person should do. */
final class FromJava {
    private FromJava() {}

    public static void main(String[] arguments) throws Exception {
        var folder = new File(arguments[0]);
        try {
            Partway.openBlocking(new File(folder, "a-file"), options -> Unit.INSTANCE);
        } catch (PartwayException e) {
            System.out.println(e.getInfo().getName());
        }
        PartwayClient client = Partway.openBlocking(new File(folder, "state"), options -> {
            options.token((account, why, continuation) -> "token");
            options.log(null, (level, target, line) -> {});
            return Unit.INSTANCE;
        });
        var nobody = new Upload(client, "nobody");
        var source = new Source(new SourceWhat.Path("nowhere", false), new byte[0]);
        try {
            client.attachSource("nobody", source);
        } catch (PartwayException e) {
            System.out.println(e.getInfo().getName());
        }
        try {
            nobody.attachSource(source);
        } catch (PartwayException e) {
            System.out.println(e.getInfo().getName());
        }
        try {
            client.answerConflict("nobody", ConflictChoice.RENAME);
        } catch (PartwayException e) {
            System.out.println(e.getInfo().getName());
        }
        try {
            nobody.answer(ConflictChoice.RENAME);
        } catch (PartwayException e) {
            System.out.println(e.getInfo().getName());
        }
        try {
            client.change(Select.All.INSTANCE, new Change(null, null, null, -1, null, null));
        } catch (PartwayException e) {
            System.out.println(e.getInfo().getName());
        }
        try {
            client.setProxy(new Secret("no proxy"));
        } catch (PartwayException e) {
            System.out.println(e.getInfo().getName());
        }
        try {
            client.setCredential("me", new Credential.Token(new Secret("token"), -1L));
        } catch (PartwayException e) {
            System.out.println(e.getInfo().getName());
        }
        client.close();
        try {
            client.idle();
        } catch (PartwayException e) {
            System.out.println(e.getInfo().getName());
        }
        System.out.println(Remedy.class.getModule().isNamed() ? "in a module" : "on the class path");
        System.out.println(RemediesKt.text(Remedy.SIGN_IN_AGAIN, Locale.ENGLISH));
    }
}
