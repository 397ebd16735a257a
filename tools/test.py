import sys

from mmdet_lite.cli.test import main

if __name__ == "__main__":
    sys.exit(main())
