"""Reading what a client sent, field by field, and gathering what is wrong with it in Cronofy's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.cronofy.model.moments import ETC_UTC, Moment, Unreadable, need_zone, parse_moment
from sandbox.cronofy.model.shapes import is_list, is_object


@dataclass(slots=True)
class Problems:
    """What is wrong, by field. The body of a 422."""

    errors: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def add(self, name: str, key: str, description: str) -> None:
        """Note that a field is wrong. `key` is for programs, `description` for people."""
        self.errors.setdefault(name, []).append({"key": key, "description": description})

    def required(self, name: str) -> None:
        """Note that a field is missing."""
        self.add(name, "errors.required", f"{name} must be specified")

    def __bool__(self) -> bool:
        return bool(self.errors)


def problem(name: str, key: str, description: str) -> Problems:
    """Describe one wrong field."""
    problems = Problems()
    problems.add(name, key, description)
    return problems


class Form:
    """A JSON object as it was sent. What cannot be read is noted in `problems`, and read as if it were absent."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values
        self.problems = Problems()

    def given(self) -> frozenset[str]:
        """Name the fields that were sent, whatever they hold."""
        return frozenset(self._values)

    def raw(self, name: str) -> object:
        """Return a field as it was sent."""
        return self._values.get(name)

    def text(self, name: str, *, required: bool = False, limit: int | None = None) -> str | None:
        """Read a text."""
        value = self._values.get(name)
        if value is None or (required and not value):
            if required:
                self.problems.required(name)
            return None
        if not isinstance(value, str):
            self.problems.add(name, "errors.must_be_string", "must be a string")
            return None
        if limit is not None and len(value) > limit:
            self.problems.add(name, "errors.too_long", f"must not be longer than {limit} characters")
            return None
        return value

    def flag(self, name: str) -> bool | None:
        """Read a boolean."""
        value = self._values.get(name)
        if value is None or isinstance(value, bool):
            return value
        self.problems.add(name, "errors.must_be_boolean", "must be a boolean value, either true or false")
        return None

    def choice(self, name: str, allowed: frozenset[str]) -> str | None:
        """Read one of several words."""
        value = self.text(name)
        if value is None or value in allowed:
            return value
        self.problems.add(name, "errors.not_recognized", "not recognized")
        return None

    def zone(self, name: str) -> str:
        """Read the name of a time zone; without one it is UTC."""
        value = self.text(name)
        if value is None:
            return ETC_UTC
        try:
            need_zone(value)
        except Unreadable as error:
            self.problems.add(name, error.key, error.description)
            return ETC_UTC
        return value

    def moment(self, name: str, tzid: str, *, required: bool) -> Moment | None:
        """Read a date or a time."""
        value = self._values.get(name)
        if isinstance(value, str | None) and not value:
            if required:
                self.problems.required(name)
            return None
        try:
            return parse_moment(value, tzid)
        except Unreadable as error:
            self.problems.add(name, error.key, error.description)
            return None

    def objects(self, name: str) -> list[Form]:
        """Read a list of objects."""
        value = self._values.get(name)
        if value is None:
            return []
        if is_list(value):
            forms = [Form(entry) for entry in value if is_object(entry)]
            if len(forms) == len(value):
                return forms
        self.problems.add(name, "errors.must_be_array", "must be a list of objects")
        return []

    def object(self, name: str) -> Form | None:
        """Read an object."""
        value = self._values.get(name)
        if is_object(value):
            return Form(value)
        if value is not None:
            self.problems.add(name, "errors.must_be_object", "must be an object")
        return None

    def texts(self, name: str) -> list[str]:
        """Read a list of texts."""
        value = self._values.get(name)
        if is_list(value):
            texts = [entry for entry in value if isinstance(entry, str)]
            if len(texts) == len(value):
                return texts
        if value is not None:
            self.problems.add(name, "errors.must_be_array", "must be a list of strings")
        return []

    def adopt(self, prefix: str, inner: Form) -> None:
        """Take over the problems of an object inside this one."""
        for name, problems in inner.problems.errors.items():
            self.problems.errors.setdefault(f"{prefix}.{name}", []).extend(problems)
