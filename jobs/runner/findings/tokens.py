"""Tokens: keys that their issuers begin in a way of their own, so that they can be told by it."""

import re
from dataclasses import dataclass

from jobs.runner import rules
from jobs.runner.rules import Rule


@dataclass(frozen=True)
class Pattern:
    """What a secret looks like; texts without one of `starts` need no second look.

    The first group of the pattern, or all of it, is the secret. It is compiled when it is needed.
    """

    rule: Rule
    name: str
    starts: tuple[str, ...]
    pattern: str
    narrow: str = ""  # a mark that is in fewer texts than starts that are words, too

    @property
    def mark(self) -> str:
        return self.narrow or "|".join(map(re.escape, self.starts))

    def may_be_in(self, text: str) -> bool:
        return any(start in text for start in self.starts)


def _token(name: str, starts: str, pattern: str, narrow: str = "") -> Pattern:
    whole = rf"(?a:(?<![\w-])({pattern})(?![\w-]))"  # ASCII: some scripts put no space before it
    return Pattern(rules.TOKEN, name, tuple(starts.split()), whole, narrow)


_HEX = "[0-9a-f]"

# As the issuers document them, and as the scanners of code hosts look for them.
TOKENS = (
    _token("key of AWS", "AKIA ASIA ABIA ACCA", r"A(?:KI|SI|BI|CC)A[A-Z2-7]{16}(?<!EXAMPLE)"),
    _token("API key of Google", "AIza", r"AIza[\w-]{35}"),
    _token("OAuth token of Google", "ya29. 1//0", r"(?:ya29\.[\w-]{30,}|1//0[\w-]{40,})"),
    _token("client secret of Google", "GOCSPX-", r"GOCSPX-[\w-]{28}"),
    _token("client secret of Azure", "Q~", r"[\w.~]{3}\dQ~[\w.~-]{31,34}", r"[0-9]Q~"),
    _token("key of Alibaba Cloud", "LTAI", r"LTAI[A-Za-z0-9]{20}"),
    _token("token of DigitalOcean", "dop_v1_ doo_v1_ dor_v1_", rf"do[opr]_v1_{_HEX}{{64}}"),
    _token("token of Docker", "dckr_pat_ dckr_oat_", r"dckr_[po]at_[\w-]{20,}"),
    _token("token of GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_\w{36}"),
    _token("token of GitHub", "github_pat_", r"github_pat_\w{60,}"),
    _token(
        "token of GitLab",
        "glpat- gldt- glrt- glft- glptt- glcbt- glimt- gloas- glsoat- glagent- GR1348941",
        r"(?:gl(?:pat|dt|rt|ft|ptt|cbt|imt|oas|soat|agent)-|GR1348941)[\w.-]{20,}",
    ),
    _token("token of Bitbucket", "ATBB ATCTT3", r"(?:ATBB\w{32}|ATCTT3[\w=-]{100,})"),
    _token("token of Atlassian", "ATATT3", r"ATATT3[\w=-]{100,}"),
    _token(
        "token of Slack",
        "xoxb- xoxp- xoxa- xoxs- xoxr- xoxo- xoxe",
        r"xox(?:[bpasro]-[\w-]{20,}|e[.-][\w.-]{40,})",
    ),
    _token("token of Slack", "xapp-", r"xapp-\d-[\w-]{20,}"),
    _token("webhook of Slack", "hooks.slack.com/", r"hooks\.slack\.com/services/T\w+/B\w+/\w{20,}"),
    _token(
        "webhook of Discord",
        "/api/webhooks/",
        r"discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,}",
    ),
    _token("token of Telegram", ":AA", r"(?:bot)?\d{8,10}:AA[\w-]{33}", "[0-9]:AA"),
    _token("key of Twilio", "SK", rf"SK{_HEX}{{32}}", rf"SK{_HEX}{{32}}"),
    _token(
        "key of Stripe",
        "k_live_ k_test_ whsec_",
        r"(?:[sr]k_(?:live|test)_\w{20,}|whsec_[\w+/=]{24,})",
    ),
    _token(
        "token of Square", "sq0atp- sq0csp- EAAA", r"(?:sq0(?:atp|csp)-[\w-]{22,43}|EAAA[\w-]{60})"
    ),
    _token(
        "token of Shopify", "shpat_ shpca_ shppa_ shpss_", rf"shp(?:at|ca|pa|ss)_(?i:{_HEX}{{32}})"
    ),
    _token("key of Mailchimp", "-us", rf"{_HEX}{{32}}-us\d{{1,2}}", rf"{_HEX}{{32}}-us[0-9]"),
    _token("key of Mailgun", "key-", rf"key-{_HEX}{{32}}", rf"key-{_HEX}{{32}}"),
    _token("key of SendGrid", "SG.", r"SG\.[\w-]{22}\.[\w-]{43}"),
    _token("key of Brevo", "xkeysib-", rf"xkeysib-{_HEX}{{64}}-\w{{16}}"),
    _token("key of Anthropic", "sk-ant-", r"sk-ant-[\w-]{40,}"),
    _token("key of OpenRouter", "sk-or-", r"sk-or-[\w-]{40,}"),
    _token("key of OpenAI", "sk-", r"sk-(?!ant-|or-)(?:proj-|svcacct-)?[\w-]{40,}"),
    _token("key of Groq", "gsk_", r"gsk_\w{48,}"),
    _token("key of xAI", "xai-", r"xai-\w{60,}"),
    _token("key of Perplexity", "pplx-", r"pplx-\w{40,}"),
    _token("token of Replicate", "r8_", r"r8_\w{37}"),
    _token("token of Hugging Face", "hf_ api_org_", r"(?:hf|api_org)_[A-Za-z]{34}"),
    _token("key of Pinecone", "pcsk_", r"pcsk_\w{40,}"),
    _token("key of LangSmith", "lsv2_", rf"lsv2_(?:pt|sk)_{_HEX}{{32}}_{_HEX}{{10}}"),
    _token("token of Databricks", "dapi", rf"dapi{_HEX}{{32}}(?:-\d)?", rf"dapi{_HEX}{{8}}"),
    _token("token of npm", "npm_", r"npm_\w{36}"),
    _token("token of PyPI", "pypi-AgE", r"pypi-AgE[\w-]{50,}"),
    _token("key of RubyGems", "rubygems_", rf"rubygems_{_HEX}{{48}}"),
    _token("key of Artifactory", "AKCp cmVmd", r"(?:AKCp\w{69}|cmVmd\w{59})"),
    _token("token of Pulumi", "pul-", rf"pul-{_HEX}{{40}}", rf"pul-{_HEX}{{8}}"),
    _token("token of Terraform", ".atlasv1.", r"\w{14}\.atlasv1\.[\w=-]{60,}"),
    _token("token of Vault", "hvs. hvb.", r"hv[sb]\.[\w-]{24,}"),
    _token("token of 1Password", "ops_eyJ", r"ops_eyJ[\w+/=-]{60,}"),
    _token("token of Doppler", "dp.pt. dp.st. dp.ct.", r"dp\.(?:pt|ct|st(?:\.\w+)?)\.\w{40,44}"),
    _token("secret key of age", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    _token(
        "token of Grafana",
        "glsa_ glc_eyJ",
        rf"(?:glsa_\w{{32}}_(?i:{_HEX}{{8}})|glc_eyJ[\w+/=]{{32,}})",
    ),
    _token("key of New Relic", "NRAK-", r"NRAK-[A-Z0-9]{27}"),
    _token(
        "token of Sentry", "sntrys_ sntryu_", rf"(?:sntrys_eyJ[\w+/=-]{{60,}}|sntryu_{_HEX}{{64}})"
    ),
    _token("key of Postman", "PMAK-", rf"PMAK-{_HEX}{{24}}-{_HEX}{{34}}"),
    _token("key of Linear", "lin_api_", r"lin_api_\w{40}"),
    _token("token of Notion", "ntn_", r"ntn_\w{40,}"),
    _token("token of Figma", "figd_", r"figd_[\w-]{40,}"),
    _token(
        "token of Airtable",
        "pat",
        rf"pat\w{{14}}\.{_HEX}{{64}}",
        rf"pat[A-Za-z0-9]{{14}}\.{_HEX}{{8}}",
    ),
    _token("token of Supabase", "sbp_", rf"sbp_{_HEX}{{40}}"),
    _token("token of PlanetScale", "pscale_", r"pscale_(?:tkn|oauth|pw)_[\w.=-]{32,}"),
    _token("key of Tailscale", "tskey-", r"tskey-[a-z]+-[\w-]{20,}"),
    _token("token of Heroku", "HRKU-", r"HRKU-[\w-]{36,}"),
    _token("token of Facebook", "EAA", r"EAA[B-Z][A-Za-z0-9]{80,}", r"EAA[B-Z][A-Za-z0-9]{20}"),
    _token("JSON web token", "eyJ", r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
)
