# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
"""Prints what h5py sees in an HDF5 file: one line a dataset, with its attributes and first values."""
import sys

import h5py


def plain(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def show(name, item):
    if not isinstance(item, h5py.Dataset):
        return
    attributes = "".join(
        f" {key}={','.join(map(plain, value)) if getattr(value, 'ndim', 0) else plain(value)}"
        for key, value in sorted(item.attrs.items()))
    values = ",".join(plain(value) for value in item[:3])
    print(f"/{name} n={len(item)} fletcher32={item.fletcher32}{attributes} : {values}")


with h5py.File(sys.argv[1], "r") as file:
    for key, value in sorted(file.attrs.items()):
        print(f"{key}={plain(value)}")
    file.visititems(show)
