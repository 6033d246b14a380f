package s4nn

const steps = 256
