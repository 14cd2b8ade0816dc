# Home Assistant puts probatio in voluptuous's place at run time: the type checker has to know.
from probatio import *
