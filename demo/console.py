"""Demo Cloud's developer console: applications, for people as a page and for scripts as JSON."""

from http import HTTPStatus
import secrets
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .models import Client, State

_SCRIPT = "/applications"
_ONE = f"{_SCRIPT}/<path:client_id>"


class InvalidApplicationError(ValueError):
    """What was sent is no application; the text says why, to a person."""


class Console:
    """The views of the console on one state."""

    def __init__(self, state: State) -> None:
        """Initialize with the state, whose clients are the applications."""
        self._state = state
        self.blueprint = Blueprint("console", __name__, url_prefix="/console")
        add = self.blueprint.add_url_rule
        add("", "page", self._page, methods=["GET"])
        add("", "submit", self._submit, methods=["POST"])
        add(_SCRIPT, "list", self._list, methods=["GET"])
        add(_SCRIPT, "create", self._create, methods=["POST"])
        add(_ONE, "change", self._change, methods=["PATCH"])
        add(_ONE, "delete", self._delete, methods=["DELETE"])

    def _page(self, message: str = "") -> str:
        clients = list(self._state.clients.values())
        return render_template("console.html", clients=clients, message=message)

    def _submit(self) -> ResponseReturnValue:
        """Do what a form of the page says, and show the page."""
        form = request.form
        client = self._state.clients.get(form.get("client_id", ""))
        try:
            match form.get("action"), client:
                case "create", _:
                    self._new(form.get("name", ""), form.get("redirect_uris", "").splitlines())
                case "redirect_uris", Client():
                    client.redirect_uris = _redirect_uris(
                        form.get("redirect_uris", "").splitlines()
                    )
                case "rotate", Client():
                    client.client_secret = _new_client_secret()
                case "delete", Client():
                    self._state.delete_client(client.client_id)
                case _:
                    raise InvalidApplicationError("This application does not exist.")  # noqa: TRY301
        except InvalidApplicationError as err:
            return self._page(str(err)), HTTPStatus.BAD_REQUEST
        return redirect(url_for("console.page"), HTTPStatus.SEE_OTHER)

    def _list(self) -> Response:
        applications = [_as_json(client) for client in list(self._state.clients.values())]
        return jsonify({"applications": applications})

    def _create(self) -> ResponseReturnValue:
        try:
            data = _json_object()
            client = self._new(data.get("name"), data.get("redirect_uris"))
        except InvalidApplicationError as err:
            return _error(str(err), HTTPStatus.BAD_REQUEST)
        return jsonify(_as_json(client)), HTTPStatus.CREATED

    def _change(self, client_id: str) -> ResponseReturnValue:
        if (client := self._state.clients.get(client_id)) is None:
            return _error("This application does not exist.", HTTPStatus.NOT_FOUND)
        try:
            data = _json_object()
            if data.keys() - {"redirect_uris", "client_secret"}:
                raise InvalidApplicationError("Only redirect_uris and client_secret change.")  # noqa: TRY301
            if data.get("client_secret", "rotate") != "rotate":
                raise InvalidApplicationError('The client_secret can only be "rotate".')  # noqa: TRY301
            if "redirect_uris" in data:
                client.redirect_uris = _redirect_uris(data["redirect_uris"])
        except InvalidApplicationError as err:
            return _error(str(err), HTTPStatus.BAD_REQUEST)
        if "client_secret" in data:
            client.client_secret = _new_client_secret()
        return jsonify(_as_json(client))

    def _delete(self, client_id: str) -> ResponseReturnValue:
        if client_id not in self._state.clients:
            return _error("This application does not exist.", HTTPStatus.NOT_FOUND)
        self._state.delete_client(client_id)
        return "", HTTPStatus.NO_CONTENT

    def _new(self, name: object, redirect_uris: object) -> Client:
        if not isinstance(name, str) or not name.strip():
            raise InvalidApplicationError("The application needs a name.")
        client = Client(
            client_id=secrets.token_hex(16),
            client_secret=_new_client_secret(),
            redirect_uris=_redirect_uris(redirect_uris),
            name=name.strip(),
        )
        self._state.clients[client.client_id] = client
        return client


def _new_client_secret() -> str:
    return secrets.token_urlsafe(32)


def _redirect_uris(values: object) -> tuple[str, ...]:
    """Return the redirect URIs among the values, without empty ones (RFC 6749 section 3.1.2)."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidApplicationError("redirect_uris has to be a list of strings.")
    uris = tuple(stripped for value in values if (stripped := value.strip()))
    if not uris:
        raise InvalidApplicationError("The application needs a redirect URI.")
    for uri in uris:
        if not _is_redirect_uri(uri):
            raise InvalidApplicationError(
                f"“{uri}” is no redirect URI: it has to be a whole http or https URL, without a #."
            )
    return uris


def _is_redirect_uri(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "#" not in uri


def _json_object() -> dict[str, object]:
    data: object = request.get_json()
    if not isinstance(data, dict):
        raise InvalidApplicationError("The body has to be a JSON object.")
    return data


def _as_json(client: Client) -> dict[str, object]:
    return {
        "name": client.name,
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "redirect_uris": client.redirect_uris,
    }


def _error(message: str, status: HTTPStatus) -> ResponseReturnValue:
    return jsonify({"error": message}), status
