"""cells.mat and plain.mat, by SciPy 1.10: python3 make.py"""
import numpy as np
from scipy import io

cells = np.empty((1, 3), object)
cells[0, 0] = np.array([[0.25, 1.5, 2.0]])
cells[0, 1] = np.zeros((0, 0))
cells[0, 2] = np.array([[3], [1000]], np.int16)
rest = {"spikes": cells, "t_start": 0.0, "t_end": 2000.0, "flags": np.array([[True, False]]), "who": "someone", "s": {"a": 1.0}}
io.savemat("cells.mat", rest, do_compression=True)
io.savemat("plain.mat", rest, do_compression=False)
