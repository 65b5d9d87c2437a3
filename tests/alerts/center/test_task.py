import threading

import pytest
from starlette.datastructures import State

from alerts.center.task import Progress, Task, once
from listener.errors import NeedsPerson


def over(task: Task[int]) -> Task[int]:
    task.wait(30)
    assert task.is_over
    return task


def test_what_it_came_to_and_how_far_it_is() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def act(progress: Progress) -> int:
        progress(3, 7)
        begun.set()
        go_on.wait(30)
        return 42

    task = Task("test", act)
    assert begun.wait(30)
    assert (task.is_over, task.result, task.done, task.of) == (False, None, 3, 7)
    go_on.set()
    assert (over(task).result, task.problem) == (42, "")


def test_it_is_stopped_at_its_next_step() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def act(progress: Progress) -> int:
        begun.set()
        go_on.wait(30)
        progress(1, 2)
        pytest.fail("it went on")

    task = Task("test", act)
    assert begun.wait(30)
    task.stop()
    go_on.set()
    assert (over(task).result, task.problem) == (None, "It was stopped.")


@pytest.mark.parametrize(
    ("error", "said"),
    [(NeedsPerson("mend it"), "mend it"), (ValueError("words of kim"), "It could not be done.")],
)
def test_what_goes_wrong_is_said_and_no_word_of_a_post_is_logged(
    error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    def act(progress: Progress) -> int:
        raise error

    assert over(Task("test", act)).problem.startswith(said)
    assert "words of kim" not in caplog.text


def test_an_app_has_one_of_it() -> None:
    state, made = State(), []

    def make() -> int:
        made.append(1)
        return len(made)

    assert (once(state, "it", make), once(state, "it", make), once(state, "other", make)) == (1, 1, 2)
