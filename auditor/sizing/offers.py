"""What can be rented: machine types rounded up to the devices that a layout needs, with their prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf

from auditor.catalog.model import Accelerator, Instance, Price

#: Terms that stand in for another where a machine has no price at it.
FALLBACKS = {"on-demand": ("on-demand", "capacity-block")}


@dataclass(frozen=True, slots=True)
class Offer:
    """Machines that hold a number of devices."""

    instance: Instance | None
    """None where nothing that can be rented is known."""
    instances: int
    billed_devices: int
    usd_per_hour: float | None

    @property
    def order(self) -> tuple[int, float, int, str]:
        """Fewest machines first, then the price, then the devices paid for."""
        price = inf if self.usd_per_hour is None else self.usd_per_hour
        return (self.instances, price, self.billed_devices, self.instance.name if self.instance else "")


def offers(accelerator: Accelerator, devices: int, joined: int, prices: Sequence[Price], term: str = "on-demand") -> list[Offer]:
    """Return the machines that hold ``devices``, of which ``joined`` at a time talk over the scale-up fabric, best first.

    A whole host joins its neighbours where the fabric is larger than the host (TPU slices, NVL72); a part of a host
    does not.
    """
    if not accelerator.instances:
        return [Offer(None, 0, devices, None)]
    found = []
    for instance in accelerator.instances:
        whole_host = instance.devices == max(other.devices for other in accelerator.instances if other.provider == instance.provider)
        reach = max(instance.devices, accelerator.scale_up_devices or 1) if whole_host or instance.sold_per_device else instance.devices
        if joined > reach or (devices > instance.devices and not whole_host and not instance.sold_per_device):
            continue
        count = ceil(devices / instance.devices)
        billed = devices if instance.sold_per_device else count * instance.devices
        found.append(Offer(instance, count, billed, hourly(prices, accelerator.id, instance, billed, term)))
    return sorted(found, key=lambda offer: offer.order)


def hourly(prices: Sequence[Price], accelerator: str, instance: Instance, devices: int, term: str = "on-demand") -> float | None:
    """Return dollars per hour for ``devices`` of an instance: its newest price at a term, or at what stands in for it."""
    rows = [row for row in prices if (row.accelerator, row.provider, row.instance) == (accelerator, instance.provider, instance.name)]
    for wanted in FALLBACKS.get(term, (term,)):
        newest = max((row for row in rows if row.term == wanted), key=lambda row: (row.as_of, -row.usd_per_hour), default=None)
        if newest is not None:
            return newest.usd_per_hour / newest.devices * devices
    return None
