from mmdet_lite.cli.make_balloons import main

if __name__ == "__main__":
    raise SystemExit(main())
