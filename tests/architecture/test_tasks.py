import ast
import inspect
from collections.abc import Iterator

import pytest
from django.conf import settings

from config.celery import QUEUES, app
from tests.architecture.source import PACKAGES, STACK, modules, tree

app.loader.import_default_modules()
OWN_TASKS = {name: task for name, task in app.tasks.items() if name.partition(".")[0] in STACK}


def enqueued() -> Iterator[tuple[str, set[str]]]:
    """Where the source enqueues a task, and the names it may have there."""
    for module in modules(*PACKAGES):
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call) and called(node) == "enqueue":
                yield f"{module}:{node.lineno}", strings(node.args[0], tree(module))


def strings(name: ast.expr, module: ast.Module) -> set[str]:
    """The text itself, or the texts that are assigned to the variable anywhere in the module."""
    if not isinstance(name, ast.Name):
        return constants(name)
    return {
        text
        for node in ast.walk(module)
        if isinstance(node, ast.Assign)
        and name.id in {target.id for target in node.targets if isinstance(target, ast.Name)}
        for text in constants(node.value)
    }


def constants(value: ast.expr) -> set[str]:
    return {
        node.value
        for node in ast.walk(value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


class TestEveryTask:
    def test_that_is_enqueued_is_registered(self) -> None:
        lost = {
            where: names
            for where, names in enqueued()
            if not names or not names <= OWN_TASKS.keys()
        }

        assert lost == {}

    def test_that_is_scheduled_is_registered(self) -> None:
        lost = {
            entry: schedule["task"]
            for entry, schedule in settings.CELERY_BEAT_SCHEDULE.items()
            if schedule["task"] not in OWN_TASKS
        }

        assert lost == {}

    @pytest.mark.parametrize("name", sorted(OWN_TASKS))
    def test_is_named_by_the_app_it_lives_in(self, name: str) -> None:
        task = OWN_TASKS[name]
        assert task.run.__module__.partition(".")[0] == name.partition(".")[0]

    @pytest.mark.parametrize("name", sorted(OWN_TASKS))
    def test_takes_keywords_only_and_is_open_to_new_ones(self, name: str) -> None:
        """A message sent by the next release must not stop a worker of this one."""
        kinds = {
            parameter.kind
            for parameter in inspect.signature(OWN_TASKS[name].run).parameters.values()
        }
        assert inspect.Parameter.VAR_KEYWORD in kinds
        assert kinds <= {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}

    def test_of_an_app_with_a_queue_of_its_own_goes_there_unless_it_renders(self) -> None:
        for name in OWN_TASKS:
            prefix, _, unit = name.partition(".")
            queue = app.amqp.router.route({}, name)["queue"].name
            if unit.startswith("render_"):
                assert queue == "documents"
            else:
                assert queue == (prefix if prefix in QUEUES else "default")
