"""A client of the control endpoints: how tests and the demo act as the person and the operator.

Open it, act, and wait for what was done to come about:

    async with CronofyControl(base_url) as control:
        account = await control.create_account(Service.GOOGLE)
        event = await control.create_event(account.calendar_id, summary="Lunch", start=noon, end=one)
        await control.wait_until_quiet(timeout=5)
"""

from sandbox.cronofy.client.control import CronofyControl

__all__ = ["CronofyControl"]
