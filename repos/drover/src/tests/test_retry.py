import pytest

from drover import JobState, JobTimeoutError, RetryAfter, RetryPolicy, SettingError
from stage import Stage, play


def starts(policy, *errors, seconds=1.0, **options):
    """When the attempts of a job that raises these errors start."""

    async def scenario():
        stage = Stage()
        job = stage.submit("a", seconds, *errors, retry=policy, **options)
        await stage.drain()
        return [time for _, time in stage.log], job

    return play(scenario())


def waits(policy, *errors):
    return [policy.wait_after(number, error) for number, error in enumerate(errors, 1)]


def test_one_attempt_by_default():
    times, job = starts(RetryPolicy(), ValueError("no"))
    assert times == [0.0]
    assert job.state is JobState.FAILED
    assert isinstance(job.error(), ValueError)


def test_waits_grow():
    assert waits(RetryPolicy(5, delay=3, factor=2), *[OSError()] * 4) == [3, 6, 12, 24]


def test_constant_wait():
    assert waits(RetryPolicy(4, delay=3, factor=1), *[OSError()] * 3) == [3, 3, 3]


def test_attempts_are_counted_from_the_first():
    policy = RetryPolicy(3, delay=1)
    assert waits(policy, *[OSError()] * 3) == [1, 2, None]


def test_longest_wait():
    policy = RetryPolicy(6, delay=1, factor=4, max_delay=10)
    assert waits(policy, *[OSError()] * 5) == [1, 4, 10, 10, 10]


def test_longest_wait_is_also_the_longest_first_wait():
    assert waits(RetryPolicy(2, delay=20, max_delay=10), OSError()) == [10]


def test_huge_numbers_of_attempts():
    policy = RetryPolicy(10_000, delay=1, factor=2, max_delay=30)
    assert policy.wait_after(9_000, OSError()) == 30


def test_jitter_comes_after_the_longest_wait():
    policy = RetryPolicy(4, delay=8, max_delay=10, jitter=lambda wait: wait + 5)
    assert waits(policy, *[OSError()] * 3) == [13, 15, 15]


def test_jitter_below_zero_is_no_wait():
    policy = RetryPolicy(3, delay=1, jitter=lambda wait: wait - 100)
    times, job = starts(policy, OSError(), OSError())
    assert times == [0.0, 1.0, 2.0]
    assert job.result() == "A"


def test_only_some_errors_are_retried():
    policy = RetryPolicy(3, retry_on=(OSError, KeyError))
    assert policy.retries(ConnectionError())
    assert not policy.retries(ValueError())


def test_giving_up_goes_before_retrying():
    policy = RetryPolicy(3, retry_on=(OSError,), give_up_on=(FileNotFoundError,))
    assert policy.wait_after(1, OSError()) == 1
    assert policy.wait_after(1, FileNotFoundError()) is None


def test_function_chooses_the_wait():
    policy = RetryPolicy(4, delay=1, max_delay=5, jitter=lambda wait: wait + 1, retry_on=(OSError,))
    assert waits(policy, RetryAfter(60), OSError(), RetryAfter(7), RetryAfter(1)) == [60, 3, 7, None]


def test_function_that_chooses_can_be_given_up():
    assert RetryPolicy(4, give_up_on=(RetryAfter,)).wait_after(1, RetryAfter(1)) is None


def test_attempts_of_a_job():
    times, job = starts(RetryPolicy(4, delay=1), OSError(), RetryAfter(10), OSError())
    assert times == [0.0, 2.0, 13.0, 18.0]
    assert (job.attempts, job.result()) == (4, "A")


def test_last_error_is_that_of_the_job():
    errors = [OSError("first"), OSError("second")]
    _, job = starts(RetryPolicy(2), *errors)
    assert job.error() is errors[1]


def test_timeouts_are_retried():
    times, job = starts(RetryPolicy(3, delay=2, retry_on=(JobTimeoutError,)), seconds=5.0, timeout=4)
    assert times == [0.0, 6.0, 14.0]
    assert str(job.error()) == "a: timed out after 4 s"


@pytest.mark.parametrize(
    "settings", [{"attempts": 0}, {"delay": -1}, {"factor": -1}, {"max_delay": -1}]
)
def test_senseless_settings(settings):
    with pytest.raises(SettingError):
        RetryPolicy(**settings)
