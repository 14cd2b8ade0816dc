# What is used of PyYAML, which ships no types: the nodes of a document, before it is constructed.
class YAMLError(Exception): ...

class Mark:
    line: int

class Node:
    tag: str
    start_mark: Mark

class ScalarNode(Node):
    value: str

class SequenceNode(Node):
    value: list[Node]

class MappingNode(Node):
    value: list[tuple[Node, Node]]

class SafeLoader: ...

def compose(stream: str, Loader: type[SafeLoader]) -> Node | None: ...  # noqa: N803 - its name
