"""Rate files as they are received: texts and workbooks, read within bounds."""
