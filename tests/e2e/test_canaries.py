"""A canary in every slot for a credential, and every failure that could make one sing."""

import http.client
import subprocess

from admin import Admin, token_of
from harness import SLUICE, leaks
from test_esc import Esc

FAULTS = ["status-401", "status-403", "status-429", "status-500", "reset", "truncated", "not-json", "status-400"]
SLOTS = [
    "api_key", "second_key", "header", "portkey", "openrouter", "pat", "oauth", "proxy_user", "proxy_password",
    "virtual_key", "previous", "pepper", "esc_value", "stored", "wrong_key",
    "redis_user", "redis_password",
]  # fmt: skip
CANARY = {slot: f"canary{number:02}x{slot.replace('_', 'q')}x8c1f27de94x5b60aa{number:02}zz" for number, slot in enumerate(SLOTS)}
SECRETS_KEY = bytes(range(7, 39)).hex()
PULUMI_TOKEN = "pul-canary99xtokenx8c1f27de9499zz"


def settings(lab):
    base = {"base_url": f"{lab.url}/v1"}
    away = "http://127.0.0.1:1/v1"
    proxy = f"http://{CANARY['proxy_user']}:{CANARY['proxy_password']}@127.0.0.1:1"
    providers = {
        "one": {"kind": "openai", **base, "api_key": "${C_API_KEY}", "headers": {"x-team": "${C_HEADER}"}, "pass_headers": ["x-lab-fault"]},
        "two": {"kind": "openai", **base, "keys": {"a": "${C_SECOND_KEY}", "b": "${esc:acme/llm/prod:key}"}},
        "three": {"kind": "portkey", "base_url": f"{lab.url}/portkey/v1", "api_key": "${C_PORTKEY}", "config": "pc-lab"},
        "four": {"kind": "openrouter", "base_url": f"{lab.url}/openrouter/api/v1", "api_key": "${C_OPENROUTER}"},
        "five": {"kind": "cortex", "base_url": f"{lab.url}/snowflake", "account": "a", "token": "${C_PAT}"},
        "six": {"kind": "cortex", "base_url": away, "account": "a", "oauth_token": "${C_OAUTH}"},
        "seven": {"kind": "openai", "base_url": "http://nowhere.invalid/v1", "api_key": "${C_API_KEY}", "proxy": proxy},
    }
    keys = {"app": {"key": "${C_VIRTUAL_KEY}", "previous": "${C_PREVIOUS}"}}
    return {
        "providers": providers,
        "keys": keys,
        "governance": {"pepper": "${C_PEPPER}"},
        "redis": {"url": "redis://${C_REDIS_USER}:${C_REDIS_PASSWORD}@127.0.0.1:1"},
        "log": {"format": "json", "level": "debug"},
        "resilience": {"attempts": 2, "backoff_base": "1ms", "backoff_cap": "5ms"},
    }


def page(gateway, path):
    connection = http.client.HTTPConnection(*gateway.admin, timeout=60)
    connection.request("GET", path)
    text = connection.getresponse().read()
    connection.close()
    return text


def test_SEC_1_a_credential_of_no_slot_is_seen_anywhere(own, lab, tmp_path):
    esc = Esc(tmp_path)
    esc.put({"key": {"fn::secret": CANARY["esc_value"]}})
    env = {f"C_{slot.upper()}": text for slot, text in CANARY.items()}
    env |= {"SLUICE_SECRETS_KEY": SECRETS_KEY, "PULUMI_ACCESS_TOKEN": PULUMI_TOKEN, "PULUMI_BACKEND_URL": esc.lab.url}
    with esc.lab:
        gateway = own(settings(lab), env=env)
        admin = Admin(gateway)
        secrets = [*CANARY.values(), SECRETS_KEY, PULUMI_TOKEN, token_of(gateway)]
        said = [admin.call("PUT", "/secrets/stored", {"value": CANARY["stored"]}).body]
        for text in ("virtual_key", "previous", "wrong_key"):
            headers = {"Authorization": f"Bearer {CANARY[text]}"}
            for provider in ("one", "two", "three", "four", "five", "six", "seven"):
                for stream in (False, True):
                    reply = gateway.chat(f"{provider}/lab/chat", stream, headers)
                    said.append(str(reply.headers).encode() + reply.body)
            for fault in FAULTS:
                reply = gateway.chat("one/lab/chat", headers={**headers, "x-lab-fault": fault})
                said.append(str(reply.headers).encode() + reply.body)
        for path in ("/keys", "/keys/app", "/audit", "/secrets", "/budgets"):
            said.append(admin.call("GET", path).body)
        said += [page(gateway, path) for path in ("/metrics", "/readyz", "/version")]
        for words in (("check", gateway.config), ("config", "explain", "-c", gateway.config), ("config", "explain", "--json", "-c", gateway.config)):
            done = subprocess.run([SLUICE, *words], env={"NO_PROXY": "*", **env}, capture_output=True, timeout=120, check=False)
            said += [done.stdout, done.stderr]
        (gateway.folder / "data/admin-token").unlink()
        assert gateway.stop() == 0
    assert not leaks(b"\n".join(said) + gateway.kept(), *secrets)
