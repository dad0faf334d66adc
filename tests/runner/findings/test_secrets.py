"""Secrets: each kind of token is found in the pipeline of a check, named, and masked by redact."""

import json
from pathlib import Path

from jobs.runner.datasets.redact import redact
from jobs.runner.findings.tokens import TOKENS
from tests.runner.findings.datasets import findings

HEX = "0123456789abcdef" * 5
ANY = "aB3dE6gH9" * 20
UPPER = "A2B3C4D5E6F7G2H3" * 4
LETTERS = "abCdEfGh" * 8
# Put together here, so that no scanner of secrets takes this file for one that holds some.
SAMPLES = {
    "key of AWS": ["AKIA" + UPPER[:16], "ABIA" + UPPER[:16]],
    "API key of Google": ["AIza" + ANY[:35]],
    "OAuth token of Google": ["ya29." + ANY[:60], "1//0" + ANY[:60]],
    "client secret of Google": ["GOCSPX-" + ANY[:28]],
    "client secret of Azure": ["abc8" + "Q~" + ANY[:34]],
    "key of Alibaba Cloud": ["LTAI" + ANY[:20]],
    "token of DigitalOcean": ["dop_v1_" + HEX[:64]],
    "token of Docker": ["dckr_pat_" + ANY[:27], "dckr_oat_" + ANY[:32]],
    "token of GitHub": ["ghp_" + ANY[:36], "github_pat_" + ANY[:82]],
    "token of GitLab": ["glpat-" + ANY[:20], "glrt-" + ANY[:20], "GR1348941" + ANY[:20]],
    "token of Bitbucket": ["ATBB" + ANY[:32], "ATCTT3" + ANY[:180]],
    "token of Atlassian": ["ATATT3" + ANY[:180]],
    "token of Slack": ["xoxb-" + "1" * 12 + "-" + ANY[:24], "xapp-1-" + ANY[:60]],
    "webhook of Slack": ["hooks.slack.com/services/T" + UPPER[:8] + "/B0A/" + ANY[:24]],
    "webhook of Discord": ["discord.com/api/webhooks/" + "123456789" * 2 + "/" + ANY[:68]],
    "token of Telegram": ["123456789:AA" + ANY[:33], "bot123456789:AA" + ANY[:33]],
    "key of Twilio": ["SK" + HEX[:32]],
    "key of Stripe": ["sk_live_" + ANY[:24], "whsec_" + ANY[:32]],
    "token of Square": ["sq0atp-" + ANY[:22], "EAAA" + ANY[:60]],
    "token of Shopify": ["shpat_" + HEX[:32]],
    "key of Mailchimp": [HEX[:32] + "-us12"],
    "key of Mailgun": ["key-" + HEX[:32]],
    "key of SendGrid": ["SG." + ANY[:22] + "." + ANY[:43]],
    "key of Brevo": ["xkeysib-" + HEX[:64] + "-" + ANY[:16]],
    "key of Anthropic": ["sk-ant-" + "api03-" + ANY[:90]],
    "key of OpenRouter": ["sk-or-" + "v1-" + HEX[:64]],
    "key of OpenAI": ["sk-" + ANY[:48], "sk-proj-" + ANY[:60]],
    "key of Groq": ["gsk_" + ANY[:52]],
    "key of xAI": ["xai-" + ANY[:80]],
    "key of Perplexity": ["pplx-" + ANY[:48]],
    "token of Replicate": ["r8_" + ANY[:37]],
    "token of Hugging Face": ["hf_" + LETTERS[:34]],
    "key of Pinecone": ["pcsk_" + ANY[:60]],
    "key of LangSmith": ["lsv2_pt_" + HEX[:32] + "_" + HEX[:10]],
    "token of Databricks": ["dapi" + HEX[:32]],
    "token of npm": ["npm_" + ANY[:36]],
    "token of PyPI": ["pypi-AgE" + ANY[:90]],
    "key of RubyGems": ["rubygems_" + HEX[:48]],
    "key of Artifactory": ["AKCp" + ANY[:69], "cmVmd" + ANY[:59]],
    "token of Pulumi": ["pul-" + HEX[:40]],
    "token of Terraform": [ANY[:14] + ".atlasv1." + ANY[:67]],
    "token of Vault": ["hvs." + ANY[:90]],
    "token of 1Password": ["ops_eyJ" + ANY[:170]],
    "token of Doppler": ["dp.pt." + ANY[:43], "dp.st.prod." + ANY[:43]],
    "secret key of age": ["AGE-SECRET-KEY-1" + UPPER[:58]],
    "token of Grafana": ["glsa_" + ANY[:32] + "_" + HEX[:8], "glc_eyJ" + ANY[:60]],
    "key of New Relic": ["NRAK-" + UPPER[:27]],
    "token of Sentry": ["sntrys_eyJ" + ANY[:90], "sntryu_" + HEX[:64]],
    "key of Postman": ["PMAK-" + HEX[:24] + "-" + HEX[:34]],
    "key of Linear": ["lin_api_" + ANY[:40]],
    "token of Notion": ["ntn_" + ANY[:46]],
    "token of Figma": ["figd_" + ANY[:43]],
    "token of Airtable": ["pat" + ANY[:14] + "." + HEX[:64]],
    "token of Supabase": ["sbp_" + HEX[:40]],
    "token of PlanetScale": ["pscale_tkn_" + ANY[:43]],
    "key of Tailscale": ["tskey-auth-" + ANY[:17] + "-" + ANY[:32]],
    "token of Heroku": ["HRKU-" + ANY[:60]],
    "token of Facebook": ["EAAB" + ANY[:120]],
    "JSON web token": [".".join(["eyJ" + ANY[:20], "eyJ" + ANY[:20], ANY[:43]])],
}
PASSWORDS = [
    "DB_PASSWORD=hunter2hunter",
    "aws_secret_access_key = " + ANY[:40],
    "AccountKey=" + ANY[:86] + "==",
    'auth_token: "' + ANY[:40] + '"',
]
# What begins like a token, or is one of the documentation.
NONE = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "dckr_pat_short, glpat-short, npm_install_of_a_package, sk-learn, key-value, pul-over",
    "risk-and-reward-of-a-very-long-slug-that-goes-on-and-on-for-ever",
    "TASK" + HEX[:32],
    "a_test_of_something_that_is_long_enough, check_test_of_something_that_is_long_enough",
    "the-us12 and 12:AABBCCDDEEFF, EAAA and EAAB, pattern.of.things, ATBB",
    "password = d1.encode(utf8), secret_key = s3_server[0]",
    "the access_token: is kept by the browser, secret is out: nobody knows",
]


def test_each_kind_of_token_is_found_and_named(tmp_path: Path) -> None:
    samples = [(name, one) for name, some in SAMPLES.items() for one in some]
    said = findings(tmp_path, "chat", [(f"Use {one} now", str(i)) for i, (_, one) in _of(samples)])
    found = {(one.problem.line, one.problem.what) for one in said if one.rule.id == "VT-D202"}
    named = {line: text.split(":")[0].split(" ", 2)[2] for line, text in found}
    assert named == {i: name for i, (name, _) in _of(samples)}
    assert len(found) == len(samples)
    assert set(SAMPLES) == {one.name for one in TOKENS}


def _of(samples: list[tuple[str, str]]) -> list[tuple[int, tuple[str, str]]]:
    return [*enumerate(samples, 1)]


def test_scripts_without_spaces_hide_no_token(tmp_path: Path) -> None:
    text = f"密钥{SAMPLES['token of Docker'][0]}是我的。地址8.8.8.8。我的电话03-1234-5678"
    ids = {one.rule.id for one in findings(tmp_path, "chat", [(text, "b")])}
    assert {"VT-D202", "VT-D213", "VT-D214"} <= ids


def test_a_password_is_found_by_the_name_of_its_setting(tmp_path: Path) -> None:
    said = findings(tmp_path, "chat", [(one, str(i)) for i, one in enumerate(PASSWORDS)])
    found = [one.problem.line for one in said if one.rule.id == "VT-D203"]
    assert found == [1, 2, 3, 4]


def test_what_begins_like_a_token_is_none(tmp_path: Path) -> None:
    said = findings(tmp_path, "chat", [(one, str(i)) for i, one in enumerate(NONE)])
    assert not [str(one) for one in said if one.rule.id.startswith("VT-D2")]


def test_redact_takes_a_private_key_whole(tmp_path: Path) -> None:
    begin, end = ("-----" + word + " RSA PRIVATE KEY-----" for word in ("BEGIN", "END"))
    body = "\n".join([ANY[:64]] * 3)
    texts = [
        f"My key:\n{begin}\n{body}\n{end}\nKeep it.",
        f"It is {begin}\\n{body}\\n and was cut.",
        f"{begin} is how one begins, {begin} again.",
    ]
    lines = [json.dumps({"input_text": text, "output_text": "b"}) for text in texts]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    redact(tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    clean = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["input_text"] for line in clean] == [
        "My key:\n[private key]\nKeep it.",
        "It is [private key]\\n and was cut.",
        "[private key] is how one begins, [private key] again.",
    ]


def test_redact_leaves_nothing_of_any(tmp_path: Path) -> None:
    secrets = [one for some in SAMPLES.values() for one in some]
    lines = [json.dumps({"input_text": f"a {one}.", "output_text": "b"}) for one in secrets]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    count = redact(tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    clean = (tmp_path / "out.jsonl").read_text("utf-8")
    assert not [one for one in secrets if one[len(one) // 4 :] in clean]
    assert set(count) == set(SAMPLES)
    assert count.total() == len(secrets)
