from mmdet_lite.cli.check_data import main

if __name__ == "__main__":
    raise SystemExit(main())
