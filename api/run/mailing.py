"""Mail that leaves at once, beside the journey's effects: where it is handed in, and the codes of visits."""

from __future__ import annotations

from collections.abc import Mapping

from activities.gateways import Request
from api.ports import CodeMail
from domain.core.policy import Party
from infra.identity.visits import CODE_LASTS
from infra.ids import fresh_id
from infra.mail.smtp import MailGateway, MailServer
from infra.settings import Settings

OPENED_BY: Mapping[str, str] = {
    "dossier": Party.HOSPITAL,
    "translation": Party.TRANSLATOR,
    "handover": Party.HOME_ONCOLOGIST,
    "messages": "outside",
}
"""What a code opens, and for whom; messages are opened by whoever outside they are written to."""


def mail_server(settings: Settings) -> MailServer:
    """Read from the settings where mail is handed in."""
    host, _, port = settings.smtp.rpartition(":")
    ca = str(settings.smtp_ca) if settings.smtp_ca else None
    user = settings.smtp_user or None
    password = _password(settings) if user else None
    return MailServer(host.strip("[]"), int(port), settings.mail_from, user, password, settings.smtp_security, ca)


def _password(settings: Settings) -> str:
    """From its file, else from the environment."""
    file = settings.smtp_password_file
    return file.read_text(encoding="utf-8").strip() if file else settings.smtp_password.get_secret_value()


def code_mail(settings: Settings) -> CodeMail:
    """Send the code of a visit. A code that is late is none, so it waits for no turn of the journey."""
    minutes = int(CODE_LASTS.total_seconds() // 60)

    async def send(what: str, number: str, address: str, language: str, code: str) -> None:
        facts = {"number": number, "code": code, "minutes": minutes, "contact": settings.mail_from}
        body = {**facts, "address": address, "language": language}
        await MailGateway(mail_server(settings)).send(
            Request(f"code-{fresh_id()}", f"{what}_code", "", "", OPENED_BY[what], "", body)
        )

    return send
