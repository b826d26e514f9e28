"""A workshop in a box: plans that fit, the kit's wheels, receipts, notes, slides and the board."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import zipfile
from http.client import HTTPConnection

import pytest

for module in ("jupytext", "papermill", "packaging", "jinja2", "markdown_it", "pygments"):
    pytest.importorskip(module, reason=f"workshops need the gallery's packages; {module} is not installed")

from tutorial_zarr.gallery import exercises  # noqa: E402
from tutorial_zarr.gallery.catalogue import GalleryError, list_notebooks  # noqa: E402
from tutorial_zarr.gallery.exercises import checks_of, judge, numbers  # noqa: E402
from tutorial_zarr.gallery.workshop import kit, notes, outline, plan, posting, slides, verify  # noqa: E402
from tutorial_zarr.gallery.workshop.board import Board  # noqa: E402

NAMES = sorted(path.stem for path in plan.PLANS.glob("*.toml"))
HEAD = 'title = "t"\nstart = "09:00"\nminutes = 120\n'
LESSON = '[[part]]\nlesson = "01_01"\n'


# --- plans


@pytest.mark.parametrize("name", ["90-minutes", "half-day", "day"])
def test_a_plan_that_comes_with_the_package_fits_its_time(name):
    found = plan.read(name)
    work = sum(part.minutes for part in found.parts if not part.pause)
    assert found.slack >= 0.1 * work
    assert sum(part.minutes for part in found.parts) + found.slack <= found.minutes
    assert [part.begin for part in found.parts] == [
        sum(before.minutes for before in found.parts[:place]) for place in range(len(found.parts))
    ]
    told = set()
    for notebook in found.notebooks:
        assert set(notebook.needs) <= told, notebook.id
        told.add(notebook.id)


@pytest.mark.parametrize("name", NAMES)
def test_nobody_works_much_longer_than_an_hour_without_a_pause(name):
    worked = 0
    for part in plan.read(name).parts:
        worked = 0 if part.pause else worked + part.minutes
        assert worked <= 90


def test_the_minutes_of_a_whole_lesson_are_those_of_its_passport():
    for notebook in list_notebooks():
        about = outline.outline(notebook)
        assert about.minutes() == notebook.minutes
        names = {section.name for section in about.sections}
        assert {"head", "recap"} <= names
        assert "solutions" not in names


def test_what_is_left_out_saves_its_share():
    whole, less, least = (
        plan.parse(HEAD + LESSON + more).parts[0].minutes
        for more in ("", 'leave_out = ["operations"]\n', 'leave_out = ["operations", "wrong"]\nexercises = []\n')
    )
    assert 40 == whole > less > least > 10
    assert plan.parse(HEAD + LESSON + "minutes = 33\n").parts[0].minutes == 33


def test_a_pause_is_put_where_an_hour_of_work_is_nearest():
    talk = '[[part]]\nactivity = "talk"\nminutes = {}\n'
    found = plan.parse(HEAD.replace("120", "400") + LESSON + "".join(map(talk.format, (15, 50, 30, 20))))
    assert [(part.title if part.pause else part.minutes) for part in found.parts] == [
        40,
        15,
        "Break",
        50,
        "Break",
        30,
        20,
    ]
    assert found.clock(found.parts[3].begin) == "10:05"


def test_a_pause_of_the_plan_is_the_pause():
    lunch = '[[part]]\npause = 45\nactivity = "Lunch"\n'
    found = plan.parse(HEAD.replace("120", "200") + LESSON + lunch + LESSON.replace("01_01", "01_02"))
    assert [(part.title, part.minutes) for part in found.parts if part.pause] == [("Lunch", 45)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEAD.replace("120", "40") + LESSON,
            r"fit into 40 minutes, found 40 of work, 0 of pauses and 4 of slack, 4 too many; try .*01_01 \(40",
        ),
        (HEAD, r"expected a line 'part = \.\.\.'"),
        (HEAD + '[[part]]\nactivity = "talk"\nminutes = 5\n', "expected at least one lesson"),
        (HEAD.replace("120", "200") + LESSON + LESSON, "found 01_01 twice"),
        (HEAD + LESSON.replace("01_01", "77_01"), "expected the id of a lesson, found '77_01'"),
        (HEAD + LESSON + 'leave_out = ["nothing"]\n', "expected sections to leave out of 01_01, found 'nothing'"),
        (HEAD + LESSON + 'exercises = ["9"]\n', "expected exercises of 01_01, found '9'; try one of 1, 2, 3"),
        (HEAD + LESSON + "minutes = 0\n", "expected minutes from 1 to 1440, found 0"),
        (HEAD + LESSON + "minutes = true\n", "expected minutes to be int"),
        (HEAD + LESSON + 'colour = "red"\n', "part 1: expected lesson, .*, found 'colour'"),
        (HEAD + LESSON + "leave_out = [1]\n", "expected leave_out to be a list of text"),
        (HEAD + '[[part]]\nactivity = "talk"\n', "expected a line 'minutes"),
        (HEAD + "[[part]]\nminutes = 5\n", "expected one of lesson, pause, activity"),
        (HEAD.replace("09:00", "9 am") + LESSON, "expected a start such as"),
        ("part = [1]\n" + HEAD + "", "expected a table"),
        (HEAD + "[[part\n", "expected TOML, found a mistake"),
    ],
)
def test_a_plan_that_is_wrong_is_refused_in_a_sentence(text, message):
    with pytest.raises(GalleryError, match=message) as refused:
        plan.parse(text, "my.toml")
    assert str(refused.value).startswith("my.toml")
    assert "\n" not in str(refused.value)


def test_a_new_plan_is_written_if_it_fits_and_never_over_another(run, tmp_path):
    file = tmp_path / "course.toml"
    assert run("workshop", "new", file, "--lessons", "01_01,01_02,01_03")[0] == 1
    assert not file.exists()
    code, out, _ = run("workshop", "new", file, "--lessons", "00_00,01_01,01_02", "--minutes", 120, "--json")
    assert code == 0
    assert [part["lesson"] for part in json.loads(out)["parts"]] == ["00_00", "01_01", "", "01_02"]
    assert plan.read(file).ids == ["00_00", "01_01", "01_02"]
    code, _, err = run("workshop", "new", file, "--lessons", "01_01", "--minutes", 120)
    assert code == 1
    assert "expected a new file" in err


def test_the_modules_of_a_plan_are_those_of_other_people():
    lessons = type("Lessons", (), {"notebooks": list_notebooks()})
    found = plan.modules(lessons)
    assert {"xarray": "xarray", "ome_zarr": "ome-zarr", "numpy": "numpy"}.items() <= found.items()
    assert not {"shaky_network", "tutorial_zarr", "data_gen", "json"} & set(found)


# --- slides and notes


def test_the_slides_have_each_question_picture_guess_and_exercise_of_the_plan():
    chosen = plan.read("90-minutes")
    found = slides.slides(chosen)
    assert [slide.text for slide in found if slide.kind == "question"] == [each.question for each in chosen.notebooks]
    assert sum(slide.kind == "guess" for slide in found) == 3
    titles = [slide.title for slide in found if slide.kind == "exercise"]
    assert [title[9:16] for title in titles] == ["01_01.1", "01_01.2", "01_02.1", "01_03.1"]
    assert all(slide.pictures for slide in found if slide.kind == "picture")
    page = slides.page(chosen)
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#|https://)[^"']*""", page)
    assert not re.findall(r"""<(?:script|link|img)[^>]+(?:src|href)=["']https?:""", page)
    assert page == slides.page(chosen)


def test_the_notes_tell_minutes_that_sum_up_and_wrong_answers_to_expect():
    chosen = plan.read("half-day")
    for part in chosen.lessons:
        rows = notes.steps(chosen, part)
        assert sum(row.minutes for row in rows) == part.minutes
        assert rows[0].at == chosen.clock(part.begin)
        assert all(0 < saved < part.minutes for _, saved in notes.late(part))
        for task in notes.tasks(part):
            verdict = judge(f"{part.lesson}.{task.exercise.name}", task.exercise.wrong)
            assert (verdict.right, verdict.words) == (False, task.exercise.said)
            assert "check(" in task.exercise.solution
    page = notes.page(chosen)
    for words in ("The surprise", "The guess to collect", "If it is late, leave out", "Feedback sheet"):
        assert words in page


def test_the_sentences_of_a_check_are_found_in_its_function():
    said = notes.objections(checks_of("01_01"), "1")
    assert "that is the number of values. Count the chunks that they lie in." in said
    named = notes.objections(checks_of("01_01"), "3")
    assert any(sentence.startswith("sorted as text, 10 comes before 2") for sentence in named)
    assert not any(sentence.startswith("expected") for sentence in said)
    some = [
        notes.objections(checks, number)
        for each in list_notebooks()
        if (checks := checks_of(each.id))
        for number in numbers(checks)
    ]
    assert sum(bool(each) for each in some) > 0.9 * len(some)


@pytest.mark.parametrize("name", ["slides", "notes"])
def test_a_page_is_one_file(run, tmp_path, name):
    code, out, _ = run("workshop", name, "90-minutes", "--out", tmp_path / "page.html", "--json")
    assert code == 0
    assert json.loads(out)["bytes"] == (tmp_path / "page.html").stat().st_size


# --- receipts


def test_a_receipt_says_what_is_lacking_and_of_which_plan_it_is():
    chosen = plan.read("90-minutes")
    for lacks in ([], ["packages"], list(verify.CHECKS)):
        for system, name in enumerate(("Linux", "Windows", "macOS", "another system")):
            text = verify.receipt(chosen, set(lacks), system, 13)
            assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}", text)
            assert verify.read_receipt(chosen, text) == (lacks, f"{name}, Python 3.13")
            assert verify.read_receipt(chosen, text.lower().replace("-", "")) == (lacks, f"{name}, Python 3.13")
            assert verify.read_receipt(plan.read("day"), text) is None
            for place in range(14):
                if text[place] != "-":
                    other = "2" if text[place] != "2" else "3"
                    assert verify.read_receipt(chosen, text[:place] + other + text[place + 1 :]) is None


def test_the_host_sees_who_is_ready_and_what_the_others_lack(run, tmp_path):
    chosen = plan.read("90-minutes")
    good, bad = (verify.receipt(chosen, lacks, 1, 12) for lacks in (set(), {"notebooks"}))
    file = tmp_path / "receipts.txt"
    file.write_text(f"Ada L {good}\nbob, {bad}\n\x1b[31mcyd {good[:-1]}\n\n", encoding="utf-8")
    code, out, _ = run("workshop", "verify", "90-minutes", "--receipts", file, "--json")
    assert code == 1
    assert [(each["name"], each["ready"]) for each in json.loads(out)] == [
        ("Ada L", True),
        ("bob", False),
        ("\\x1b[31mcyd", False),
    ]
    code, out, _ = run("workshop", "verify", "90-minutes", "--receipts", file)
    assert "the students' notebooks" in out
    assert "\x1b" not in out
    file.write_text(f"Ada {good}\n", encoding="utf-8")
    assert run("workshop", "verify", "90-minutes", "--receipts", file)[0] == 0
    assert run("workshop", "verify", "90-minutes", "--receipts", tmp_path / "none")[0] == 1


def test_a_machine_is_ready_if_the_lessons_packages_and_notebooks_are_there(monkeypatch, tmp_path):
    chosen, ran = plan.read("90-minutes"), []
    monkeypatch.setattr(verify, "run", lambda ids: ran.append(ids) or [{"status": "ok", "error": None}])
    report = verify.verify(chosen, tmp_path)
    assert not report["ready"]
    assert "00_00_setup_check.ipynb" in report["lacks"][0]
    for notebook in chosen.notebooks:
        file = tmp_path / "notebooks" / notebook.path.parent.name / notebook.ipynb.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    report = verify.verify(chosen, tmp_path)
    assert report["ready"]
    assert verify.read_receipt(chosen, report["receipt"])[0] == []
    assert ran == [["00_00"], ["00_00"]]
    monkeypatch.setattr(verify, "modules", lambda plan: {"no_such_module": "none"})
    report = verify.verify(chosen, tmp_path)
    assert verify.read_receipt(chosen, report["receipt"])[0] == ["packages"]
    assert "no_such_module" in report["lacks"][0]


# --- the kit


def a_wheel(folder, name, version="1.0", tag="py3-none-any", requires=()):
    """A wheel with nothing in it but what it requires."""
    info = f"{name}-{version}.dist-info"
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {each}" for each in requires),
    ]
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        archive.writestr(f"{info}/METADATA", "\n".join([*lines, "", ""]))
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return folder / f"{name}-{version}-{tag}.whl"


def test_what_another_system_requires_is_seen(tmp_path):
    conditions = ['posix_only; os_name == "posix"', 'console; sys_platform == "win32"', 'new; python_version >= "3.13"',
                  'more; extra == "more"']  # fmt: skip
    a_wheel(tmp_path, "top", requires=["binary>=1", *conditions])
    a_wheel(tmp_path, "binary", "1.1", "cp312-cp312-win_amd64")
    a_wheel(tmp_path, "binary", "0.9")
    a_wheel(tmp_path, "posix_only")
    a_wheel(tmp_path, "old_mac", tag="cp312-cp312-macosx_10_13_universal2")

    def absent(system, python="3.12", wanted="top"):
        return sorted(map(str, kit.missing([tmp_path], [wanted], kit.Target(system, python))))

    assert absent("windows") == ["console"]
    assert absent("linux") == ["binary>=1"]
    assert absent("macos", "3.13", "top[more]") == ["binary>=1", "more", "new"]
    assert absent("linux", wanted="top>=2") == ["top>=2"]
    assert absent("macos", wanted="old_mac") == []
    assert absent("linux", wanted="old_mac") == ["old_mac"]


@pytest.fixture
def offline_pip(monkeypatch, tmp_path):
    """pip finds wheels in a folder, and nowhere else."""
    pytest.importorskip("pip", reason="the kit is made by pip, which is not installed")
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_pip_is_asked_again_for_what_another_system_requires(offline_pip, tmp_path):
    a_wheel(offline_pip, "top", requires=['console; sys_platform == "win32"', "binary"])
    a_wheel(offline_pip, "console", requires=['deeper; os_name == "nt"'])
    a_wheel(offline_pip, "deeper")
    a_wheel(offline_pip, "binary", tag="cp312-cp312-win_amd64")
    wheels = tmp_path / "wheels"
    (wheels / "any").mkdir(parents=True)
    kit.fetch(wheels, ["top"], kit.Target("windows", "3.12"))
    assert sorted(each.name[:4] for each in (wheels / "any").iterdir()) == ["cons", "deep", "top-"]
    assert [each.name for each in (wheels / "windows").iterdir()] == ["binary-1.0-cp312-cp312-win_amd64.whl"]
    with pytest.raises(
        GalleryError, match=r"expected a wheel of binary for macos with Python 3\.12, found none; nothing"
    ):
        kit.fetch(wheels, ["top"], kit.Target("macos", "3.12"))


def test_a_kit_is_there_whole_and_says_what_it_holds(offline_pip, tmp_path, monkeypatch):
    own = a_wheel(tmp_path, "tutorial_zarr", "0.1.0", requires=['small; extra == "workshop"'])
    a_wheel(offline_pip, "small")
    monkeypatch.setattr(kit, "modules", lambda plan: {})
    out, chosen = tmp_path / "kit", plan.read("90-minutes")
    report = kit.build(chosen, out, ["linux", "windows"], ["3.12"], own)
    assert report["requirements"] == ["tutorial_zarr[workshop]==0.1.0"]
    files = {"START_HERE.html", "SHA256SUMS", "install.sh", "install.ps1", "plan.toml", "slides.html"}
    assert {each.name for each in out.iterdir()} == files | {"site", "notebooks", "wheels", "articles"}
    assert plan.read(out / "plan.toml").ids == chosen.ids
    lines = (out / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert {line[66:] for line in lines} == {
        path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file() and path.name != "SHA256SUMS"
    }
    page = (out / "START_HERE.html").read_text(encoding="utf-8")
    assert all((out / target).exists() for target in re.findall(r'href="([^"#:]+)"', page))
    assert "macos" not in (out / "install.sh").read_text(encoding="utf-8")
    if sys.platform != "win32":
        subprocess.run(["sh", "-n", out / "install.sh"], check=True)
    with pytest.raises(GalleryError, match="expected a new folder"):
        kit.build(chosen, out, ["linux"], ["3.12"], own)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"systems": ["amiga"]}, "expected systems among linux, windows, macos, found 'amiga'"),
        ({"pythons": ["2.7"]}, "expected a version of Python such as 3.12, found '2.7'"),
        ({"wheel": "nothing.whl"}, "expected a wheel of tutorial_zarr, found nothing.whl"),
        ({}, "expected a wheel of small for macos with Python 3.12, found none"),
    ],
)
def test_a_kit_that_cannot_be_built_is_not_begun(offline_pip, tmp_path, monkeypatch, options, message):
    own = a_wheel(tmp_path, "tutorial_zarr", "0.1.0", requires=['small; extra == "workshop"'])
    a_wheel(offline_pip, "small", tag="cp312-cp312-win_amd64")
    monkeypatch.setattr(kit, "modules", lambda plan: {})
    place = tmp_path / "place"
    with pytest.raises(GalleryError, match=message):
        kit.build(plan.read("90-minutes"), place / "kit", **{"systems": ["macos"], "wheel": own, **options})
    assert not place.exists() or not list(place.iterdir())


def test_without_a_clone_the_wheel_has_to_be_given(tmp_path, monkeypatch):
    monkeypatch.setattr(kit, "ROOT", tmp_path)
    with pytest.raises(GalleryError, match=r"expected a clone of the repository.*try --wheel"):
        kit.build(plan.read("90-minutes"), tmp_path / "kit", ["linux"])
    assert not (tmp_path / "kit").exists()


# --- the board


@pytest.fixture
def room():
    with Board(port=0, room="ABCD") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def leave():
    yield
    posting._joined = None


def ask(server, method, path="/", body=None, **headers):
    link = HTTPConnection(*server.server_address[:2], timeout=5)
    link.request(method, path, body, headers)
    answer = link.getresponse()
    return answer.status, answer.read().decode()


def post(server, **changes):
    said = {"room": "ABCD", "nick": "ada", "exercise": "01_01.1", "right": True, **changes}
    return ask(server, "POST", body=json.dumps(said), **{"Content-Type": "application/json"})[0]


def test_a_check_is_posted_once_a_board_was_joined(room, capsys, monkeypatch):
    exercises.check("01_01.1", 6)
    assert room.rows == {}
    posting.board(room.url, "ABCD", "ada")
    sent, note = [], room.note
    monkeypatch.setattr(room, "note", lambda said: sent.append(said) or note(said))
    exercises.check("01_01.1", 4)
    assert room.rows == {"ada": {"01_01.1": False}}
    exercises.check("01_01.1", 6)
    assert room.rows == {"ada": {"01_01.1": True}}
    assert sent == [{"room": "ABCD", "nick": "ada", "exercise": "01_01.1", "right": right} for right in (False, True)]
    posting.board()
    exercises.check("01_01.2", 6)
    assert len(sent) == 2
    assert "not posted" not in capsys.readouterr().out


def test_a_board_that_does_not_answer_is_said_in_a_line_and_stops_nothing(room, capsys):
    posting.board(room.url, "WRONG", "ada")
    exercises.check("01_01.1", 6)
    assert "01_01.1 right: " in (out := capsys.readouterr().out)
    assert "board: not posted (the code of the room is another); your answer is checked all the same.\n" in out
    with socket.create_server(("127.0.0.1", 0)) as silent:
        posting.board(f"http://127.0.0.1:{silent.getsockname()[1]}", "ABCD", "ada")
        begun = time.monotonic()
        exercises.check("01_01.1", 6)
        assert time.monotonic() - begun < 10  # the limit is two seconds; a machine may be busy
    assert "01_01.1 right: " in (out := capsys.readouterr().out)
    assert out.count("board: not posted") == 1


def test_a_server_that_sends_a_byte_a_second_is_not_waited_for(capsys):
    with socket.create_server(("127.0.0.1", 0)) as slow:

        def drip():
            link, _ = slow.accept()
            with link:
                for byte in b"HTTP/1.1 200 OK":
                    link.sendall(bytes([byte]))
                    time.sleep(1)

        threading.Thread(target=drip, daemon=True).start()
        posting.board(f"http://127.0.0.1:{slow.getsockname()[1]}", "ABCD", "ada")
        begun = time.monotonic()
        posting.post("01_01.1", True)
        assert time.monotonic() - begun < 10
    assert "not posted (no answer)" in capsys.readouterr().out


PUBLIC = ["8.8.8.8", "0.0.0.0", "::", "224.0.0.1", "::ffff:8.8.8.8", "2001:4860::8888", "example.org", ""]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_board_listens_on_private_addresses_only_and_is_looked_for_there_only(address, run):
    code, _, err = run("workshop", "board", "--address", address, "--port", 0)
    assert code == 1
    assert "expected a numeric address of this machine in a private network" in err
    bracketed = f"[{address}]" if ":" in address else address
    with pytest.raises(GalleryError, match="expected the numeric address of a private network"):
        posting.board(f"http://{bracketed}:8000", "ABCD", "ada")
    assert posting._joined is None


@pytest.mark.parametrize(
    "address", ["https://127.0.0.1", "127.0.0.1:8000", "http://127.0.0.1:99999", "http://[::1", "\n"]
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(GalleryError, match="expected the numeric address"):
        posting.board(address, "ABCD", "ada")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("http://127.0.0.1", "", "ada"), "expected the code of the room"),
        (("http://127.0.0.1", "ABCD", ""), "expected a name"),
        (("http://127.0.0.1", "ABCD", "<b>"), "expected a name"),
        (("http://127.0.0.1", "ABCD", "a" * 25), "expected a name"),
    ],
)
def test_a_name_or_a_code_that_no_board_takes_is_refused(arguments, message):
    with pytest.raises(GalleryError, match=message):
        posting.board(*arguments)


def test_a_port_that_is_taken_is_said(room):
    with pytest.raises(GalleryError, match=r"expected to listen on 127\.0\.0\.1, port .*; try another --port"):
        Board(port=room.server_address[1])
    with pytest.raises(GalleryError, match="expected a code of 4 to 32 letters"):
        Board(port=0, room="<b>")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"room": "ABCE"}, 403),
        ({"room": 7}, 403),
        ({"room": "\ud800"}, 403),
        ({"nick": "<script>"}, 400),
        ({"nick": ["ada"]}, 400),
        ({"exercise": "../x"}, 400),
        ({"right": "yes"}, 400),
        ({"right": None}, 400),
    ],
)
def test_what_is_no_verdict_of_this_room_is_refused(room, changes, status):
    assert post(room, **changes) == status
    assert room.rows == {}


def test_a_post_is_small_and_from_no_page_of_another_site(room):
    assert ask(room, "POST", body="{}", **{"Content-Type": "text/plain"})[0] == 403
    json_ = {"Content-Type": "application/json"}
    assert ask(room, "POST", body="[", **json_)[0] == 400
    assert ask(room, "POST", body="[]", **json_)[0] == 403
    assert ask(room, "POST", body=" " * 2000, **json_)[0] == 413
    assert ask(room, "POST", body="", **{**json_, "Content-Length": "-1"})[0] == 413


def test_a_board_has_no_more_rows_and_columns_than_a_room(room):
    assert {post(room, nick=f"n{number}") for number in range(200)} == {204}
    assert post(room, nick="another") == 507
    assert post(room, nick="n7", exercise="01_02.1") == 204
    for number in range(98):
        room.rows["n7"][f"09_{number:02}.1"] = True
    assert post(room, nick="n7", exercise="03_01.1") == 507


def test_the_page_is_the_hosts_and_holds_names_as_text(room):
    assert post(room, nick="Zoë 2") == 204
    status, page = ask(room, "GET")
    assert status == 200
    assert "Zoë 2" in page
    assert room.url in page
    assert ask(room, "GET", Host="evil.example")[0] == 403
    assert ask(room, "GET", "/rows")[0] == 404
    assert ask(room, "DELETE")[0] == 501


def test_a_board_ends_when_it_is_stopped(run, monkeypatch):
    def stopped(server):
        raise KeyboardInterrupt

    monkeypatch.setattr(Board, "serve_forever", stopped)
    code, out, err = run("workshop", "board", "--port", 0, "--room", "ABCD", "--json")
    assert code == 130
    assert json.loads(out)["room"] == "ABCD"
    assert "nothing of it was stored" in err


# --- a notebook again


def test_a_fresh_copy_lies_beside_the_learners(run, tmp_path):
    assert run("gallery", "student", "01_01", "--out", tmp_path)[0] == 0
    [file] = tmp_path.glob("notebooks/*/01_01*.ipynb")
    fresh, worked = file.read_bytes(), file.read_bytes().replace(b"...", b"42", 1)
    file.write_bytes(worked)
    for number in (1, 2):
        code, out, _ = run("workshop", "reset", "--in", tmp_path, "--json")
        assert code == 0
        [made] = json.loads(out)
        assert made.endswith(f"01_01_first_zarr_array_fresh_{number}.ipynb")
        assert (tmp_path / made).read_bytes() == fresh
        assert file.read_bytes() == worked
