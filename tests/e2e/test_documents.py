"""The commands in the documents, run as they are printed; only the port is another one."""

import json
import os
import re
import subprocess
import sys

import pytest

from harness import ROOT, SLOW, SLUICE, Process, Server, host_and_port

sys.path.insert(0, str(ROOT / "scripts"))
from check_docs import documents, runnable_block, runnable_blocks  # noqa: E402

PRINTED = "127.0.0.1:8080"
PROVIDER = "provider-"
USED_HERE = {"install", "curl", "sdk", "config", "example", "routing", "keys", "usage", "lab", "esc"}


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """What `make run` starts, on free ports: no configuration and no keys."""
    folder = tmp_path_factory.mktemp("run")
    words = [SLUICE, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir", folder]
    with Process(words) as process:
        server = Server.__new__(Server)
        server.address = host_and_port(process.wait_for_start()["api"])
        yield server


def run(words, **how):
    return subprocess.run(words, capture_output=True, text=True, timeout=60 * SLOW, check=False, **how)


def here(text, server):
    assert PRINTED in text
    return text.replace(PRINTED, "{}:{}".format(*server.address))


def test_every_marked_block_is_used():
    names = {block.name for block in runnable_blocks(ROOT)}
    assert {name for name in names if not name.startswith(PROVIDER)} == USED_HERE


def test_the_two_commands_start_what_the_others_talk_to():
    *_, last = runnable_block("install").text.splitlines()
    assert last == "make run"
    planned = run(["make", "-n", "run"], cwd=ROOT)
    assert planned.returncode == 0, planned.stderr
    assert re.search(rf"sluice serve --listen {PRINTED}\b", planned.stdout)


def test_the_curl_of_the_readme_is_answered(started):
    said = run(["bash", "-c", here(runnable_block("curl").text, started)], env={**os.environ, "NO_PROXY": "*"})
    assert said.returncode == 0, said.stderr
    reply = json.loads(said.stdout)
    assert reply["choices"][0]["message"]["content"]
    assert "lab" in reply["system_fingerprint"]


def test_the_python_of_the_readme_prints_an_answer(started):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    program = here(runnable_block("sdk").text, started)
    said = run([sys.executable, "-c", program], env={**clean, "NO_PROXY": "*"})
    assert said.returncode == 0, said.stderr
    direct = started.chat("lab/chat", messages=[{"role": "user", "content": "Hello"}])
    assert said.stdout == direct.json()["choices"][0]["message"]["content"] != ""


def test_the_curl_of_the_keys_shows_their_figures(started):
    said = run(["bash", "-c", here(runnable_block("usage").text, started)], env={**os.environ, "NO_PROXY": "*", "CI_KEY": "any"})
    assert json.loads(said.stdout)["object"] == "usage"


@pytest.mark.parametrize("name", ["config", "example", "routing", "keys"])
def test_the_configurations_in_the_documents_are_valid(tmp_path, name):
    text = runnable_block(name).text
    file = tmp_path / "sluice.yaml"
    file.write_text(text, encoding="utf-8")
    keys = {found: "sk-made-up" for found in re.findall(r"\$\{(\w+)\}", text)}
    checked = run([SLUICE, "check", file], env={**os.environ, **keys})
    assert checked.returncode == 0, checked.stdout + checked.stderr
    without = run([SLUICE, "check", file], env={"PATH": os.environ["PATH"]})
    assert without.returncode == 2 and "OPENAI_API_KEY" in without.stdout + without.stderr


PROVIDER_BLOCKS = [block for block in runnable_blocks(ROOT) if block.name.startswith(PROVIDER)]


@pytest.mark.parametrize("block", PROVIDER_BLOCKS, ids=lambda block: block.name)
def test_the_configurations_of_the_providers_are_valid(tmp_path, block):
    made_up = {name: "sk-made-up" for name in re.findall(r"\$\{(\w+)\}", block.text)}
    if "SNOWFLAKE_KEY_FILE" in made_up:
        made_up["SNOWFLAKE_KEY_FILE"] = str(tmp_path / "key.p8")
        run(["openssl", "genpkey", "-algorithm", "RSA", "-out", made_up["SNOWFLAKE_KEY_FILE"]])
    file = tmp_path / "sluice.yaml"
    file.write_text(block.text, encoding="utf-8")
    checked = run([SLUICE, "check", file], env={"PATH": os.environ["PATH"], **made_up})
    assert checked.returncode == 0, checked.stdout + checked.stderr


def shell_lines():
    for path in documents(ROOT):
        for block in re.findall(r"^```sh[^\n]*\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S):
            yield from (line.partition(" #")[0].strip() for line in block.replace("\\\n", " ").splitlines())


def test_the_flags_of_the_documented_scripts_exist():
    checked = 0
    for line in shell_lines():
        script = re.match(r"python3 ((?:bench|scripts)/\w+\.py)(.*)", line)
        if not script:
            continue
        usage = run([sys.executable, ROOT / script.group(1), "--help"])
        assert usage.returncode == 0, usage.stderr
        for flag in re.findall(r"(?<=\s)--[\w-]+", script.group(2)):
            assert re.search(rf"{flag}\b", usage.stdout), line
        checked += 1
    assert checked


@pytest.mark.parametrize("command", ["serve", "lab", "check", "import", "schema", "explain", "config", "usage", "ledger"])
def test_every_command_explains_itself(command):
    said = run([SLUICE, command, "--help"])
    assert said.returncode == 0 and "Usage:" in said.stdout


@pytest.mark.parametrize(
    "words, wanted",
    [
        (["chek", "x.yaml"], "'chek'; did you mean 'check'"),
        (["config", "expain"], "'config expain'; did you mean 'config explain'"),
        (["qqqqqq"], "there are: serve"),
        (["check", "x.yaml", "--format", "xml"], "text, json or github, not 'xml'"),
        (["usage", "--json", "--csv"], "excludes"),
        (["usage", "--since", "1d", "--until", "2d"], "not before"),
    ],
)
def test_a_wrong_command_line_is_refused_with_what_was_meant(words, wanted):
    said = run([SLUICE, *words])
    assert said.returncode == 2 and wanted in said.stderr


def test_an_import_writes_a_configuration_that_the_check_accepts(tmp_path):
    source, file = ROOT / "tests/golden/import/litellm/proxy.yaml", tmp_path / "sluice.yaml"
    said = run([SLUICE, "import", "litellm", source, "-o", file, "--json"])
    report = json.loads(said.stderr)
    assert said.returncode == 1 and said.stdout == "" and report["missing"] and report["differs"]
    values = {name: "http://127.0.0.1:9/v1" if name.endswith(("_URL", "_BASE")) else "k" for name in report["variables"]}
    checked = run([SLUICE, "check", file], env={"PATH": os.environ["PATH"], **values})
    assert checked.returncode == 0, checked.stdout
    assert run([SLUICE, "import", "portkey", tmp_path / "nothing.json"]).returncode == 2


def test_the_version_is_printed_by_word_and_by_flag():
    said = [run([SLUICE, word]) for word in ("version", "--version")]
    assert [one.returncode for one in said] == [0, 0]
    assert said[0].stdout == said[1].stdout and re.fullmatch(r"sluice \d+\.\d+\.\d+\n", said[0].stdout)


def test_all_settings_are_listed_with_their_values():
    said = run([SLUICE, "config", "explain"], env={"PATH": os.environ["PATH"]})
    assert said.returncode == 0
    assert "server.listen = 127.0.0.1:8080  (default)\n" in said.stdout and "default_provider = lab" in said.stdout


def test_the_reference_and_the_schema_are_what_the_binary_prints():
    for words, file in (
        (["config", "reference"], "docs/configuration.md"),
        (["schema"], "docs/schema.json"),
        (["lab", "--reference"], "docs/lab.md"),
    ):
        said = run([SLUICE, *words])
        assert said.returncode == 0, said.stderr
        assert said.stdout == (ROOT / file).read_text(encoding="utf-8")


def test_the_lab_starts_as_its_manual_says():
    _, *arguments = runnable_block("lab").text.replace("127.0.0.1:9000", "127.0.0.1:0").split()
    with Process([SLUICE, *arguments]) as process:
        assert process.wait_for_start()["lab"].startswith("http://127.0.0.1:")
