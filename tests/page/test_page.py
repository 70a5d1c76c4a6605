from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dev.screenshots.browser import chromium
from dev.screenshots.examples import ADELE, GRADY, empty, ended, incident
from dev.screenshots.server import TOKEN
from dev.screenshots.views import CALL_ID, Moment, call, event, invitation, invited, listed, live, user

if TYPE_CHECKING:
    from tests.page.conftest import Watch, Watched

if chromium() is None:
    pytest.skip("no Chromium here (Debian: apt-get install chromium)", allow_module_level=True)

HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "</p></li></script><script>document.title='owned'</script>",
    "{{constructor.constructor('document.title=1')()}}",
    "javascript:document.title='owned'",
    "&lt;b&gt;bold&lt;/b&gt; \u202egnp.exe",
    "W" * 200,
]


def _card(watched: Watched, name: str) -> str:
    return watched.text(f".person:has(.name:text-is('{name}'))")


def test_people(watch: Watch) -> None:
    """Everybody is shown once, with how they stand, since when, and why they did not come."""
    watched = watch()
    assert watched.text("h1") == "Payments are failing in Western Europe"
    assert watched.text("#state .chip") == "In progress"
    counts = watched.page.locator("#counts div").all_inner_texts()
    assert [text.split("\n") for text in counts] == [
        ["In the call", "4"],
        ["In the lobby", "1"],
        ["Ringing", "2"],
        ["Not reached", "3"],
        ["Left", "1"],
    ]
    assert "Since" in _card(watched, "Adele Vance")
    assert "Waiting since" in _card(watched, "Patti Fernandez")
    assert "Ringing for 2" in _card(watched, "Grady Archie")
    assert "Declined\n\nThe person declined. Call someone else." in _card(watched, "Diego Siciliani")
    assert "No answer" in _card(watched, "A user")
    assert watched.page.locator(".person").count() == 11
    assert watched.complaints == []


def test_phone_numbers(watch: Watch) -> None:
    """A phone is shown by its last two digits, also where its name is the number."""
    shown = incident()
    named = {"phone": {"id": "+442079460812", "displayName": "+44 20 7946 0812"}}
    shown["participants"].append(listed(Moment(), named, 10))
    watched = watch(shown)
    assert "Ringing" in _card(watched, "A phone ending in 67")
    assert "Since" in _card(watched, "A phone ending in 12")
    assert "7946" not in watched.page.content()


def test_uninvited_people(watch: Watch) -> None:
    """Who came uninvited and left is known from the timeline."""
    moment = Moment()
    came = [event(moment, at, "joined", "Somebody joined the call.", one) for at, one in ((90, ADELE), (80, GRADY))]
    left = event(moment, 70, "left", "Adele Vance left the call.", ADELE)
    watched = watch(live(call(moment, began=100), participants=[listed(moment, GRADY, 80)], timeline=[*came, left]))
    assert "Left at" in _card(watched, "Adele Vance")
    assert "Since" in _card(watched, "Grady Archie")
    assert watched.page.locator(".person").count() == 2


def test_app_itself(watch: Watch) -> None:
    """The app's own entry in the roster is no person."""
    shown = incident()
    shown["participants"].append(listed(Moment(), {"application": {"id": "us"}}, 10) | {"isSelf": True})
    watched = watch(shown)
    assert watched.page.locator(".person").count() == 11


def test_steps(watch: Watch) -> None:
    """An escalation shows its steps, which of them is current, and the seconds until the next."""
    watched = watch()
    current = watched.page.locator("[aria-current=step]")
    assert current.count() == 1
    text = current.inner_text()
    assert "Step 2" in text
    assert "A phone ending in 67" in text
    assert "Next step in 2" in text
    assert "Step 2 of 3" in watched.text(".box")
    assert watched.page.locator(".box").count() == 2, "the invitations of steps are not shown again"


def test_counts_seconds(watch: Watch) -> None:
    """Seconds go on counting between two answers."""
    watched = watch(frozen=True)
    before = watched.text(".person[data-is=ringing] .how")
    watched.server.switch_off()
    watched.pass_time(8)
    seconds = [int(text.split()[2]) for text in (before, watched.text(".person[data-is=ringing] .how"))]
    assert abs(seconds[1] - seconds[0] - 8) <= 1
    assert "Last update 8 seconds ago" in watched.text("#fresh")


def test_timeline(watch: Watch) -> None:
    """The newest event stands first, and a long timeline is shown in parts."""
    moment = Moment()
    events = [event(moment, 1000 - at, "joined", f"Person {at} joined.") for at in range(1000)]
    watched = watch(live(call(moment, began=2000), timeline=events))
    shown = watched.page.locator(".event p")
    assert shown.count() == 50
    assert shown.first.inner_text() == "Person 999 joined."
    watched.page.get_by_role("button", name="Show 200 earlier events").click()
    assert shown.count() == 250


def test_who_asked(watch: Watch) -> None:
    """Where callers sign in, an event names who asked for it, as a hash."""
    shown = incident()
    shown["timeline"][0]["by"] = "0a1b2c3d4e5f"
    watched = watch(shown)
    assert watched.page.locator(".event", has_text="Asked for by the caller 0a1b2c3d4e5f").count() == 1


def test_announces_what_is_new(watch: Watch) -> None:
    """One polite live region says what is new, and sums up where much is; what was there before is not read out."""
    watched = watch(frozen=True)
    live_regions = watched.page.locator("[aria-live], [role=status], [role=alert], [role=log]")
    assert live_regions.count() == 1
    assert live_regions.get_attribute("aria-live") == "polite"
    assert watched.text("#announced") == ""
    shown = watched.server.live
    changed = shown["timeline"] + [event(Moment(), 0, "joined", "Grady Archie joined.", GRADY)]
    watched.server.live = shown | {"timeline": changed}
    watched.pass_time(3)
    watched.wait_for("#announced", "Grady Archie joined.")
    many = [event(Moment(), 0, "left", f"Person {at} left.") for at in range(9)]
    watched.server.live = shown | {"timeline": changed + many}
    watched.pass_time(6)
    watched.wait_for("#announced", "9 new events. The latest: Person 8 left.")


def test_hostile_text(watch: Watch) -> None:
    """Names, titles, reasons and sentences are text, whatever is in them, and never widen the page."""
    moment = Moment()
    refused = [invited(user(name, f"id {name}"), "failed", why=(name, {"code": 1})) for name in HOSTILE]
    watched = watch(
        live(
            call(moment, began=10) | {"title": HOSTILE[0]},
            participants=[listed(moment, user(name, name), 5) for name in HOSTILE],
            invitations=[invitation(moment, HOSTILE[0], refused, status="failed", sent=9)],
            timeline=[event(moment, 9, name, name, user(name, name)) for name in reversed(HOSTILE)],
        ),
        width=320,
    )
    page = watched.page
    assert page.locator("h1").text_content() == HOSTILE[0]
    assert page.locator(".name").all_text_contents() == HOSTILE * 2
    assert page.locator(".why").all_text_contents() == HOSTILE
    assert page.locator(".who bdi").all_text_contents() == HOSTILE
    assert page.locator(".event p").all_text_contents() == HOSTILE
    assert page.title() == f"{HOSTILE[0]} ({len(HOSTILE)} in the call)"
    assert page.locator("main img, main script, main b").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert watched.complaints == []


def test_widths(watch: Watch) -> None:
    """Nothing has to be scrolled sideways."""
    watched = watch()
    for width in (320, 768, 1280, 1920):
        watched.page.set_viewport_size({"width": width, "height": 900})
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width


def test_wrong_token(watch: Watch) -> None:
    """A link that opens no call says so, and asks once."""
    watched = watch(fragment=f"call={CALL_ID}&token=wrong", frozen=True)
    assert watched.text("#notice") == "This link does not open a call (any more). Ask for a new link."
    assert not watched.page.locator("#copy").is_visible()
    watched.pass_time(20)
    assert len(watched.server.polls) == 1


def test_token_renewed(watch: Watch) -> None:
    """When the link is renewed, the old one's page forgets what it showed."""
    watched = watch(frozen=True)
    watched.server.token = "another"
    watched.pass_time(3)
    watched.wait_for("#notice", "Ask for a new link.")
    assert "Adele" not in watched.page.content()
    assert "Payments" not in watched.page.title()


def test_missing(watch: Watch) -> None:
    """A link that lost its end says what is missing, and asks nothing."""
    watched = watch(fragment="")
    for fragment, missing in (
        ("", "the call and its token are missing"),
        (f"call={CALL_ID}", "its token is missing"),
        (f"token={TOKEN}", "the call is missing"),
    ):
        watched.page.goto(watched.server.url_with(fragment))
        watched.wait_for("#notice", missing)
    assert watched.server.polls == []


def test_server_away(watch: Watch) -> None:
    """When the server can't be reached, the page says so, keeps what it shows, and recovers by itself."""
    watched = watch(frozen=True)
    watched.server.switch_off()
    watched.pass_time(3)
    watched.wait_for("#notice", "The server can't be reached. This page tries again by itself.")
    watched.wait_for("#fresh", "Last update")
    assert watched.page.locator(".person").count() == 11
    watched.server.live = empty()
    watched.server.switch_on()
    watched.pass_time(16)
    watched.wait_for("#state .chip", "Connecting")
    assert not watched.page.locator("#notice").is_visible()


def test_server_busy(watch: Watch) -> None:
    """A busy server is asked again when it wants to be."""
    watched = watch(frozen=True, refusal=503)
    watched.server.retry_after = 30
    watched.pass_time(4)
    assert "busy" in watched.text("#notice")
    before = len(watched.server.polls)
    watched.pass_time(25)
    assert len(watched.server.polls) == before
    watched.server.refusal = None
    watched.pass_time(10)
    assert watched.page.locator(".person").count() == 11


def test_unreadable_answer(watch: Watch) -> None:
    """An answer that can't be shown stops nothing."""
    watched = watch(_quiet() | {"timeline": [None]}, frozen=True)
    assert "can't be shown" in watched.text("#notice")
    watched.server.live = incident()
    watched.pass_time(4)
    assert watched.page.locator(".person").count() == 11
    assert not watched.page.locator("#notice").is_visible()


def test_sign_in(watch: Watch) -> None:
    """Where the app asks people to sign in, the page says what to do."""
    assert "sign in" in watch(refusal=401).text("#notice")


def _quiet() -> dict[str, Any]:
    moment = Moment()
    return live(call(moment, began=100), participants=[listed(moment, ADELE, 90)])


@pytest.mark.parametrize(("shown", "requests"), [(incident, 30), (empty, 30), (_quiet, 4)])
def test_requests_of_a_minute(watch: Watch, shown: Any, requests: int) -> None:
    """Every 2 seconds while something is open, every 15 otherwise."""
    watched = watch(shown(), frozen=True)
    before = len(watched.server.polls)
    watched.pass_time(60)
    assert abs(len(watched.server.polls) - before - requests) <= 1
    statuses = [one.status for one in watched.server.polls]
    assert statuses == [200] + [304] * (len(statuses) - 1), "the answer is sent once, while nothing changes"


def test_stops_at_the_end(watch: Watch) -> None:
    """After the call's end, with nothing open any more, nothing is asked."""
    watched = watch(ended(), frozen=True)
    watched.pass_time(40)
    assert len(watched.server.polls) == 1
    assert watched.text("#notice") == "The call has ended."
    assert "Final" in watched.text("#fresh")
    assert watched.page.locator("#counts div").all_inner_texts() == ["Took part\n6", "Not reached\n4"]
    assert "Cancelled" in _card(watched, "A phone ending in 67")


def test_ended_with_something_open(watch: Watch) -> None:
    """An ended call whose invitation is still open is watched until that is over."""
    shown = incident()
    moment = Moment()
    shown["call"] = call(moment, state="terminated", began=100, ended=1)
    watched = watch(shown, frozen=True)
    watched.pass_time(4)
    assert len(watched.server.polls) >= 3
    watched.server.live = ended()
    watched.pass_time(3)
    asked = len(watched.server.polls)
    watched.pass_time(20)
    assert len(watched.server.polls) == asked


def test_hidden_tab(watch: Watch) -> None:
    """A hidden tab asks nothing, and is up to date as soon as it is shown."""
    watched = watch(frozen=True)
    watched.hide(hidden=True)
    watched.pass_time(3)
    before = len(watched.server.polls)
    watched.pass_time(20)
    assert len(watched.server.polls) == before
    watched.server.live = empty()
    watched.hide(hidden=False)
    watched.wait_for("#state .chip", "Connecting")


def test_only_this_server(watch: Watch) -> None:
    """Only this app is asked; the token is in one header, never in a URL, and no referrer is sent."""
    watched = watch(frozen=True)
    watched.pass_time(4)
    here = f"http://127.0.0.1:{watched.server.port}/"
    assert all(url.startswith((here, "data:")) for url in watched.requested)
    assert {one.target for one in watched.server.asked} == {"/api/page", f"/api/calls/{CALL_ID}/live"}
    for one in watched.server.asked:
        assert "referer" not in one.headers
        with_token = [name for name, value in one.headers.items() if TOKEN in value]
        assert with_token == (["x-page-token"] if one.target.endswith("/live") else [])
    assert len(watched.server.polls) >= 2
    assert watched.complaints == []


def test_policy_holds(watch: Watch) -> None:
    """A script, a style or a request that is not the page's own is refused by the browser."""
    watched = watch()
    outcome = watched.page.evaluate(
        """async () => {
          const script = document.createElement('script');
          let isRefused = false;
          try { script.textContent = "document.title = 'owned'"; document.body.append(script); }
          catch { isRefused = true; }
          const fetched = await fetch('http://127.0.0.1:9/').then(() => 'answered', () => 'refused');
          return [isRefused || document.title !== 'owned', fetched];
        }"""
    )
    assert outcome == [True, "refused"]
    assert any("Content Security Policy" in text for text in watched.complaints)


def test_copy_link(watch: Watch) -> None:
    """The button copies the whole link, with a keyboard too."""
    watched = watch()
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    watched.page.keyboard.press("Tab")
    assert watched.page.evaluate("document.activeElement.id") == "copy"
    watched.page.keyboard.press("Enter")
    watched.wait_for("#copy", "Link copied")
    assert watched.page.evaluate("navigator.clipboard.readText()") == watched.server.url


def test_another_link_in_the_same_tab(watch: Watch) -> None:
    """A link that is pasted into the same tab opens its own call."""
    watched = watch(fragment=f"call={CALL_ID}&token=wrong")
    watched.page.goto(watched.server.url)
    watched.wait_for("h1", "Payments are failing")
    assert watched.page.locator(".person").count() == 11


@pytest.mark.parametrize("example", [incident, ended, empty], ids=lambda one: one.__name__)
def test_accessible(watch: Watch, example: Any) -> None:
    """No rule of axe is broken in either colour scheme, best practices included."""
    watched = watch(example(), width=390)
    assert _broken_rules(watched) == []
    watched.page.emulate_media(color_scheme="dark")
    assert _broken_rules(watched) == []


def test_accessible_without_call(watch: Watch) -> None:
    """The same for a link that opens nothing."""
    assert _broken_rules(watch(fragment="")) == []


def _broken_rules(watched: Watched) -> list[Any]:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - only where there is a browser

    results = Axe().run(watched.page).response
    assert len(results["passes"]) > 10, "the rules were applied"
    return [(one["id"], [node["target"] for node in one["nodes"]]) for one in results["violations"]]
