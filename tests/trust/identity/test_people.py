"""Managing people and tokens."""

from datetime import timedelta

import pytest

from sightline.kernel import clock
from sightline.trust import access, audit, identity

from .conftest import OPERATOR, PASSWORD

HERE = "198.51.100.7"
RADIOLOGIST = frozenset({"radiologist"})


def usernames(database) -> list[str]:
    with database.reading() as db:
        return [account.username for account in identity.find_users(db, by=OPERATOR)]


def entries(database, act: str) -> list[audit.Entry]:
    with database.reading() as db:
        return [entry for entry in audit.trail(db) if entry.act == act]


def test_adding_a_person_is_audited_with_roles_and_without_their_name(database, root):
    with database.transaction() as db:
        account = identity.create_user(db, "ben", "Ben Bova", RADIOLOGIST, PASSWORD, by=root)

    (entry,) = [e for e in entries(database, "user.create") if e.on == account.id]
    assert (entry.by, entry.facts) == (root.id, {"roles": ["radiologist"]})


def test_only_who_manages_people_adds_them(database, ada):
    with database.transaction() as db, pytest.raises(access.NotAllowed):
        identity.create_user(db, "eve", "Eve", frozenset({"administrator"}), PASSWORD, by=ada.person())

    assert usernames(database) == ["ada"]


def test_an_administrator_manages_their_own_site_only(database, root):
    with database.transaction() as db:
        identity.create_user(db, "far", "Far", RADIOLOGIST, PASSWORD, by=OPERATOR, site="south")
    with database.transaction() as db:
        for attempt in (
            lambda: identity.create_user(db, "eve", "Eve", RADIOLOGIST, PASSWORD, by=root, site="south"),
            lambda: identity.set_password(db, "far", PASSWORD, by=root),
            lambda: identity.disable_user(db, "far", by=root),
            lambda: identity.create_setup_link(db, "far", by=root),
            lambda: identity.create_token(db, "far", by=root),
        ):
            with pytest.raises(access.NotAllowed):
                attempt()
        assert [a.username for a in identity.find_users(db, by=root)] == ["root.person"]


@pytest.mark.parametrize("username", ["", "a b", "-ada", "a" * 65, "ada/..", "ad\na", "<script>", "é"])
def test_a_user_name_has_plain_letters(sqlite, username):
    with sqlite.transaction() as db, pytest.raises(identity.NotAUsername):
        identity.create_user(db, username, "Ada", RADIOLOGIST, PASSWORD, by=OPERATOR)


def test_a_user_name_is_given_once(database, ada):
    with database.transaction() as db, pytest.raises(identity.UsernameTaken):
        identity.create_user(db, "ADA", "Another", RADIOLOGIST, PASSWORD, by=OPERATOR)

    assert usernames(database) == ["ada"]


@pytest.mark.parametrize("roles", [set(), {"owner"}, {"radiologist", "operator"}])
def test_a_role_that_cannot_be_held_is_refused(sqlite, roles):
    with sqlite.transaction() as db, pytest.raises(identity.UnknownRole, match="Choose from administrator"):
        identity.create_user(db, "ben", "Ben", frozenset(roles), PASSWORD, by=OPERATOR)


@pytest.mark.parametrize("site", ["*", "", "North", "a b"])
def test_no_person_can_be_given_every_site(sqlite, site):
    with sqlite.transaction() as db, pytest.raises(identity.NotASite):
        identity.create_user(db, "ben", "Ben", RADIOLOGIST, PASSWORD, by=OPERATOR, site=site)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "1234567",
        "password",
        "PASSWORD",
        "Password123!",
        "radiology2026",
        "qwertyuiop",
        "12345678",
        "aaaaaaaaaa",
        "abababababab",
        "abcdefghijkl",
        "98765432",
        "ada.long-ada.long",
        "x" * 1025,
    ],
)
def test_a_password_that_would_be_guessed_first_is_refused(sqlite, password):
    with sqlite.transaction() as db, pytest.raises(identity.WeakPassword):
        identity.create_user(db, "ada.long", "Ada", RADIOLOGIST, password, by=OPERATOR)


@pytest.mark.parametrize(
    "password",
    [
        "vier ruhige Pferde",
        "x7#kQ2!m",
        "只有四匹安静的马在这里",
        "🐎🐎🐴🐴🦄🦄🐎🐴x",
        "correct " * 100,
        " leading and trailing ",
    ],
)
def test_any_other_password_is_accepted_as_it_was_typed(database, password):
    with database.transaction() as db:
        identity.create_user(db, "ben", "Ben", RADIOLOGIST, password, by=OPERATOR)

    assert identity.log_in(database, "ben", password, HERE)[1].username == "ben"


def test_setting_a_password_ends_sessions_and_links(database, ada, root):
    session, _ = identity.log_in(database, "ada", PASSWORD, HERE)
    with database.transaction() as db:
        link = identity.create_setup_link(db, "ada", by=root)
        identity.set_password(db, "ada", "fünf laute Pferde", by=root)

    with pytest.raises(identity.SessionEnded):
        identity.person_of_session(database, session)
    with pytest.raises(identity.SetupLinkNotValid):
        identity.set_up(database, link, "sechs alte Pferde", HERE)


def test_a_disabled_person_can_be_enabled_again(database, ada, root):
    with database.transaction() as db:
        identity.disable_user(db, "ada", by=root)
    with pytest.raises(identity.WrongPassword):
        identity.log_in(database, "ada", PASSWORD, HERE)
    with database.transaction() as db:
        identity.enable_user(db, "ada", by=root)

    assert identity.log_in(database, "ada", PASSWORD, HERE)[1].username == "ada"


def test_the_last_administrator_cannot_be_lost(database, root):
    with database.transaction() as db:
        with pytest.raises(identity.LastAdministrator):
            identity.disable_user(db, "root.person", by=root)
        with pytest.raises(identity.LastAdministrator):
            identity.change_roles(db, "root.person", RADIOLOGIST, by=root)
        identity.create_user(db, "second", "Second", frozenset({"administrator"}), PASSWORD, by=root)
        identity.disable_user(db, "root.person", by=root)


def test_somebody_who_does_not_exist_is_not_found(sqlite):
    with sqlite.transaction() as db, pytest.raises(identity.NoSuchPerson):
        identity.disable_user(db, "nobody", by=OPERATOR)


# First administrator and set-up links


def test_the_first_administrator_logs_in_with_the_given_password(database):
    with database.transaction() as db:
        assert identity.first_administrator(db, PASSWORD) is None

    _, person = identity.log_in(database, "admin", PASSWORD, HERE)
    assert access.allowed(person, "user.manage")
    assert access.allowed(person, "report.sign")


def test_the_first_administrator_without_a_password_gets_a_link_that_works_once(database):
    with database.transaction() as db:
        link = identity.first_administrator(db, None)
    assert link is not None

    session, person = identity.set_up(database, link, PASSWORD, HERE)

    assert person.username == "admin"
    assert identity.person_of_session(database, session) == person
    with pytest.raises(identity.SetupLinkNotValid):
        identity.set_up(database, link, "fünf laute Pferde", HERE)


def test_a_start_before_the_link_was_used_prints_a_new_one(database):
    with database.transaction() as db:
        first = identity.first_administrator(db, None)
    with database.transaction() as db:
        second = identity.first_administrator(db, None)
    assert first and second and first != second

    with pytest.raises(identity.SetupLinkNotValid):
        identity.set_up(database, first, PASSWORD, HERE)
    assert identity.set_up(database, second, PASSWORD, HERE)[1].username == "admin"


def test_a_later_start_neither_changes_the_password_nor_makes_a_link(database):
    with database.transaction() as db:
        identity.first_administrator(db, PASSWORD)
    with database.transaction() as db:
        assert identity.first_administrator(db, "fünf laute Pferde") is None
        assert identity.first_administrator(db, None) is None

    assert identity.log_in(database, "admin", PASSWORD, HERE)


def test_a_guessable_first_password_stops_the_start_and_adds_nobody(database):
    with pytest.raises(identity.WeakPassword), database.transaction() as db:
        identity.first_administrator(db, "admin123")

    assert usernames(database) == []


def test_a_refused_password_leaves_the_link(database, ada):
    with database.transaction() as db:
        link = identity.create_setup_link(db, "ada", by=OPERATOR)
    with pytest.raises(identity.WeakPassword):
        identity.set_up(database, link, "short", HERE)

    assert identity.set_up(database, link, "fünf laute Pferde", HERE)[1].username == "ada"


def test_a_link_does_not_work_for_ever_or_for_the_disabled(database, ada):
    with database.transaction() as db:
        old = identity.create_setup_link(
            db, "ada", by=OPERATOR, rules=identity.Rules(setup_link_life=timedelta(seconds=-1))
        )
    with pytest.raises(identity.SetupLinkNotValid):
        identity.set_up(database, old, PASSWORD, HERE)

    with database.transaction() as db:
        identity.create_user(db, "root2", "Root", frozenset({"administrator"}), PASSWORD, by=OPERATOR)
        link = identity.create_setup_link(db, "ada", by=OPERATOR)
        identity.disable_user(db, "ada", by=OPERATOR)
    with pytest.raises(identity.SetupLinkNotValid):
        identity.set_up(database, link, PASSWORD, HERE)


# Tokens


def test_a_token_acts_for_its_person_within_its_scopes(database, ada):
    with database.transaction() as db:
        token = identity.create_token(db, "ada", by=ada.person(), scopes=frozenset({"archive.*"}))

    person = identity.person_of_token(database, token)
    assert token.startswith("slt_")
    assert person.id == ada.id
    of_ada = access.actions_of(ada.person())
    assert set(access.actions_of(person)) == {action for action in of_ada if action.startswith("archive.")}


def test_a_token_without_scopes_may_what_its_person_may(database, ada):
    with database.transaction() as db:
        token = identity.create_token(db, "ada", by=OPERATOR)

    assert identity.person_of_token(database, token) == ada.person()


def test_a_token_ends_when_it_expires_is_revoked_or_its_person_is_disabled(database, ada, root):
    with database.transaction() as db:
        short = identity.create_token(db, "ada", by=OPERATOR, expires=timedelta(days=1))
        revoked = identity.create_token(db, "ada", by=OPERATOR)
        live = identity.create_token(db, "ada", by=OPERATOR)
        for token in identity.find_tokens(db, "ada", by=OPERATOR):
            if token.expires_at is None:
                identity.revoke_token(db, token.id, by=ada.person())
                break
    tokens = [revoked, live]
    working = [t for t in tokens if _works(database, t)]
    assert len(working) == 1

    assert _works(database, short)
    with pytest.raises(identity.TokenNotValid):
        identity.person_of_token(database, short, now=clock.now() + timedelta(days=2))
    with database.transaction() as db:
        identity.disable_user(db, "ada", by=root)
    assert not _works(database, working[0])


def _works(database, token: str) -> bool:
    try:
        return bool(identity.person_of_token(database, token))
    except identity.TokenNotValid:
        return False


@pytest.mark.parametrize("scopes", [set(), {"report.burn"}, {"*"}, {"archive"}, {"archive.read", "x.*"}])
def test_a_scope_that_means_nothing_is_refused(database, ada, scopes):
    with database.transaction() as db, pytest.raises(identity.UnknownScope):
        identity.create_token(db, "ada", by=OPERATOR, scopes=frozenset(scopes))


def test_a_token_cannot_make_one_that_reaches_further(database, ada):
    with database.transaction() as db:
        scopes = frozenset({"token.create", "archive.read"})
        secret = identity.create_token(db, "ada", by=OPERATOR, scopes=scopes)
    narrow = identity.person_of_token(database, secret)

    with database.transaction() as db:
        for wider in (None, {"archive.store"}, {"archive.*"}, {"archive.read", "report.sign"}):
            with pytest.raises(access.NotAllowed, match="further than itself"):
                identity.create_token(db, "ada", by=narrow, scopes=wider and frozenset(wider))
        assert identity.create_token(db, "ada", by=narrow, scopes=frozenset({"archive.read"}))


def test_nobody_makes_lists_or_revokes_tokens_of_another(database, ada, root):
    with database.transaction() as db:
        identity.create_token(db, "root.person", by=root)
        (token,) = identity.find_tokens(db, "root.person", by=root)
        for attempt in (
            lambda: identity.create_token(db, "root.person", by=ada.person()),
            lambda: identity.find_tokens(db, "root.person", by=ada.person()),
            lambda: identity.find_tokens(db, by=ada.person()),
            lambda: identity.revoke_token(db, token.id, by=ada.person()),
        ):
            with pytest.raises(access.NotAllowed):
                attempt()


def test_a_token_that_does_not_exist_is_not_found(sqlite):
    with sqlite.transaction() as db, pytest.raises(identity.NoSuchToken):
        identity.revoke_token(db, "nonsense", by=OPERATOR)


def test_making_and_revoking_a_token_is_audited_by_its_id_alone(database, ada):
    with database.transaction() as db:
        secret = identity.create_token(db, "ada", by=OPERATOR, scopes=frozenset({"archive.read"}))
        (token,) = identity.find_tokens(db, by=OPERATOR)
        identity.revoke_token(db, token.id, by=OPERATOR)
        identity.revoke_token(db, token.id, by=OPERATOR)

    (made,), (revoked,) = entries(database, "token.create"), entries(database, "token.revoke")
    assert made.facts == {"token": token.id, "scopes": ["archive.read"], "expires": None}
    assert revoked.facts == {"token": token.id}
    assert secret not in str((made, revoked))
